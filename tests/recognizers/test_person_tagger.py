"""The tagger: runs of likely morphemes, and a memory that changes nothing."""

from __future__ import annotations

from itertools import islice, product

import numpy as np
import pytest
import sudachipy

from recognizers.names import NameLists
from recognizers.person_layers import Judged
from recognizers.person_network import Network
from recognizers.person_tagger import MEMORY, Tagger, runs

TAGGER = Tagger(sudachipy.Dictionary(), NameLists.load(), Network.load())
TEXT = "担当の佐藤美咲です。Please ask Kenta  Ito, 大神田様。"


def judged(*named: float, begins: float = 0.0) -> Judged:
    scores = np.array([[1 - name, begins * name, (1 - begins) * name] for name in named], np.float32)
    return Judged(np.arange(len(named)), scores.reshape(-1, 3))


def test_doubtful_morphemes_beside_a_sure_one_belong_to_it() -> None:
    [run] = runs(judged(0.0, 0.2, 0.9, 0.15, 0.2, 0.05), 0.4, 0.1)
    assert (run.first, run.last) == (1, 4)
    assert run.score == pytest.approx(0.9)


def test_doubtful_morphemes_alone_stay_doubtful() -> None:
    [run] = runs(judged(0.0, 0.2, 0.3), 0.4, 0.1)
    assert run.score == pytest.approx(0.3)


def test_a_sure_beginning_after_a_sure_name_is_another_name() -> None:
    found = list(runs(judged(0.9, 0.95, begins=1.0), 0.4, 0.1))
    assert [(run.first, run.last) for run in found] == [(0, 0), (1, 1)]


def test_a_morpheme_that_was_not_judged_parts_two_runs() -> None:
    both = judged(0.9, 0.9)._replace(places=np.array([3, 5]))
    assert [(run.first, run.last) for run in runs(both, 0.4, 0.1)] == [(3, 3), (5, 5)]


def test_nothing_likely_is_no_run() -> None:
    assert list(runs(judged(0.05, 0.0), 0.4, 0.1)) == []
    assert list(runs(judged(), 0.4, 0.1)) == []


def test_an_empty_text_has_no_names() -> None:
    assert TAGGER.spans("", 0.4, 0.1) == []


def test_memory_is_given_up_when_it_is_full_but_for_frequent_morphemes() -> None:
    tagger = Tagger(sudachipy.Dictionary(), NameLists.load(), Network.load())
    empty, before = tagger.remembered, tagger.spans(TEXT, 0.4, 0.1)
    words, most = map("".join, product("bcdfghjklm", repeat=5)), 0
    while tagger.remembered >= most:
        most = tagger.remembered
        tagger.tag(" ".join(islice(words, 500)))
    assert MEMORY / 2 < most <= MEMORY + 500
    assert tagger.spans(TEXT, 0.4, 0.1) == before
    assert empty <= tagger.remembered < empty + 600


def test_what_a_morpheme_gives_does_not_depend_on_when_it_was_met() -> None:
    fresh = Tagger(sudachipy.Dictionary(), NameLists.load(), Network.load())
    fresh.tag("Ito 様、 大神田 Kenta")
    for found, expected in zip(fresh.spans(TEXT, 0.4, 0.1), TAGGER.spans(TEXT, 0.4, 0.1), strict=True):
        assert found == expected._replace(score=pytest.approx(expected.score))
