"""Digits read out in English: `oh nine oh, one two three four, …`, as transcripts of calls write them.

Bounded: 24 words. Looked for only where a zero is said, with which telephone numbers and most others begin or go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_DIGITS = {
    "oh": "0", "o": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3}
_WORD = f"(?>(?:{'|'.join(sorted({*_DIGITS, *_TIMES}, key=len, reverse=True))})(?![a-z]))"
_RUN = re.compile(rf"(?<![a-z]){_WORD}(?>(?:[ ,.-]{{1,3}}{_WORD}){{6,23}})")
_EACH = re.compile("[a-z]+")
_LEAST = 7


class EnglishDigits(NamedTuple):
    """Where a number read out stands, and its digits."""

    start: int
    end: int
    digits: str


def english_digits(lowered: str) -> Iterator[EnglishDigits]:
    """Numbers of seven digits and more, read out in English, in text of small letters."""
    if "zero" not in lowered and "oh " not in lowered:
        return
    for match in _RUN.finditer(lowered):
        digits = _read(match.group())
        if len(digits) >= _LEAST:
            yield EnglishDigits(*match.span(), digits)


def _read(words: str) -> str:
    digits, times = "", 1
    for word in _EACH.findall(words):
        digits += _DIGITS.get(word, "") * times
        times = _TIMES.get(word, 1)
    return digits
