"""Digits read out in English."""

from __future__ import annotations

import pytest

from recognizers.english_digits import english_digits


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("it's oh nine oh, one two three four, five six seven eight.", "09012345678"),
        ("zero three-double zero-one two-three four-five six", "0300123456"),
        ("oh nine oh triple one two two two two", "0901112222"),
    ],
)
def test_it_is_one_number(text: str, digits: str) -> None:
    assert [said.digits for said in english_digits(text)] == [digits]


@pytest.mark.parametrize(
    "text",
    [
        "oh one of two",
        "from zero to one, two or three times",
        "one two three four five six seven",
        "zeroone two three four five six seven",
    ],
)
def test_words_in_sentences_are_none(text: str) -> None:
    assert list(english_digits(text)) == []
