"""Rows of words: what was put in is found, through the arrays of the model file too."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recognizers.word_rows import NONE, WordRows, checksum

# Two words with one CRC-32.
TWINS = ("plumless", "buckeroo")


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers(1, 60_000), max_size=40)
)
def test_words_are_found_after_writing_and_reading(words: dict[str, int]) -> None:
    rows = WordRows.read(*WordRows.of(words.items()).arrays())
    assert {word: rows.find(word) for word in words} == words


def test_the_first_word_that_has_a_row_decides() -> None:
    rows = WordRows.of([("走る", 3), ("走っ", 5)])
    assert (rows.find("走る", "走っ"), rows.find("歩く", "走っ"), rows.find("歩く")) == (3, 5, NONE)


def test_of_two_words_with_one_checksum_the_first_keeps_its_row() -> None:
    assert checksum(TWINS[0]) == checksum(TWINS[1])
    rows = WordRows.of([(TWINS[0], 7), (TWINS[1], 8)])
    assert rows.find(TWINS[0]) == rows.find(TWINS[1]) == 7


def test_nothing_is_found_among_no_words() -> None:
    assert WordRows.read(*WordRows.of([]).arrays()).find("佐藤") == NONE
