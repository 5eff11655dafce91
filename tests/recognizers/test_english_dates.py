"""Dates read out in English."""

from __future__ import annotations

import pytest

from recognizers.english_dates import english_dates


@pytest.mark.parametrize(
    "date",
    [
        "the ninth of november nineteen eighty eight", "twelfth of march nineteen seventy-five", "the first of april 1931", "may third, 1990",
        "july the twenty-first two thousand and two", "the 5th of june nineteen oh nine", "march 3rd nineteen ninety", "second of may two thousand",
    ],
)  # fmt: skip
def test_a_date_is_read_whole(date: str) -> None:
    text = f"she came on {date}, they say"
    assert [text[start:end] for start, end in english_dates(text)] == [date]


@pytest.mark.parametrize(
    "text",
    ["the first of may", "march third", "in nineteen eighty eight", "the ninth of november", "second-hand may 1990s"],
)
def test_parts_of_a_date_are_none(text: str) -> None:
    assert list(english_dates(text)) == []
