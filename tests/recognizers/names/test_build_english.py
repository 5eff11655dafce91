"""Which words of the list are kept."""

from __future__ import annotations

from recognizers.names.build_english import words


def test_words_in_small_letters_are_kept_sorted_and_once() -> None:
    lines = ["simmer\n", "estimate\n", "Robert\n", "it\n", "dog's\n", "naïve\n", "simmer\n"]
    assert words(lines) == ["estimate", "simmer"]
