"""The dear texts are what they claim to be, and time is counted where it is spent."""

from __future__ import annotations

from collections import defaultdict

from support.redacting import policy

from bench.adversarial import Timed, prose, read, texts
from dataplane.drivers.analyzer import Analyzer
from recognizers.registry import load_finders


def test_every_text_has_about_as_many_characters_as_asked_for() -> None:
    assert {name for name, text in texts(3_000).items() if not 2_900 <= len(text) <= 3_000} == set()
    assert len(prose(3_000)) == 3_000


def test_the_same_texts_are_made_every_time() -> None:
    assert texts(600) == texts(600)


def test_a_timed_finder_finds_the_same_and_notes_its_time() -> None:
    spent: defaultdict[str, float] = defaultdict(float)
    finders = load_finders(("EMAIL_ADDRESS",))
    text = "連絡先は taro@example.jp です"
    assert Analyzer([Timed(finder, spent) for finder in finders])(text) == Analyzer(finders)(text)
    assert set(spent) == {finder.name for finder in finders}


def test_reading_takes_time_with_and_without_json() -> None:
    analyzer = Analyzer(load_finders(("EMAIL_ADDRESS",)))
    assert read("a@b." * 1_000, policy(), analyzer) > 0
    assert read('[{"a":' * 1_000, policy(), analyzer, json=True) > 0
