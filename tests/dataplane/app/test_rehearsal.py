"""Rehearsals: everything is run through, and nothing of it remains."""

from __future__ import annotations

import itertools

import pytest

from bench import prompts
from dataplane.app.rehearsal import Rehearsal, exchange
from dataplane.app.rehearsal_texts import TEXTS
from dataplane.drivers.analyzer import Analyzer
from dataplane.extproc import wire
from recognizers.checksums import my_number
from recognizers.finding import Finding


class Listener:
    """A finder that notes what it is given, and finds the first character."""

    name, entities = "listener", frozenset({"PERSON"})

    def __init__(self) -> None:
        self.heard: list[str] = []

    def find(self, text):
        self.heard.append(text.original)
        yield Finding(0, 1, "PERSON", 1.0, self.name)


def stepping(analyzer: Analyzer) -> Rehearsal:
    """Each step one piece of work: the clock moves on by more than a step whenever it is read."""
    clock = itertools.count()
    return Rehearsal(analyzer, now=lambda: float(next(clock)))


def test_every_finder_meets_every_text_again_and_again():
    first, second = Listener(), Listener()
    rehearsal = stepping(Analyzer((first, second)))
    for _ in range(600):
        rehearsal.step()
    assert first.heard[: len(TEXTS) + 1] == [*TEXTS, TEXTS[0]]
    assert second.heard[: len(TEXTS)] == list(TEXTS)


def test_a_step_is_one_piece_when_pieces_take_long_and_several_when_they_do_not():
    listener = Listener()
    stepping(Analyzer((listener,) * 50)).step()
    assert len(listener.heard) == 1
    still = Rehearsal(Analyzer((listener,) * 50), now=iter([0.0, 0.0, 0.0, 1.0]).__next__)
    still.step()
    assert len(listener.heard) == 1 + 3


def test_an_exchange_runs_through_to_both_answers_and_is_never_scanned(monkeypatch):
    sent, listener = [], Listener()
    reply = wire.reply
    monkeypatch.setattr(wire, "reply", lambda effect: sent.append(type(effect).__name__) or reply(effect))
    assert len(list(exchange(Analyzer((listener,)), TEXTS[0]))) == 5
    assert sent == ["SendRequest", "SendHeaders", "SendBody"]
    assert listener.heard == []


def test_a_finder_that_raises_is_heard():
    class Broken(Listener):
        def find(self, text):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        stepping(Analyzer((Broken(),))).step()


def test_the_bench_is_not_rehearsed():
    """Its sentences would be in the caches for no merit of the product's."""
    asked = "".join(prompts.prompt(seed, 4_000) for seed in range(20))
    for text in TEXTS:
        parts = {text[start : start + 10] for start in range(len(text) - 9)}
        assert not {part for part in parts if part in asked}, text


def test_no_text_carries_a_number_that_could_be_somebodys():
    digits = ["".join(char for char in text if char.isdigit()) for text in TEXTS]
    assert not any(my_number(run[start : start + 12]) for run in digits for start in range(max(0, len(run) - 11)))
