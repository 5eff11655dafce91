"""Dates read out in English: `the ninth of November nineteen eighty-eight`, `May third, 1990`, `the first of April 1931`.

At least the day or the year is in words; those in digits alone are for `dates`. Years 1800 to 2099.
Bounded: 12 words. Looked for only where the ending of an ordinal or the word of a century is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ONES = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_FIRST_NINE = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
_DAY = (
    f"(?:(?:twenty|thirty)(?:[ -](?:{_FIRST_NINE}))|{_FIRST_NINE}|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth"
    "|eighteenth|nineteenth|twentieth|thirtieth)"
)
_DIGIT_DAY = "(?:3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?"
_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_UNDER_HUNDRED = f"(?:(?:{_TENS})(?:[ -](?:{_ONES}))?|{_TEENS}|(?:oh|o|hundred and)[ -](?:{_ONES}))"
_SAID_YEAR = (
    f"(?:(?:eighteen|nineteen|twenty)[ -]{_UNDER_HUNDRED}|two thousand(?:(?: and)? (?:{_UNDER_HUNDRED}|{_ONES}))?)"
)
_YEAR = f"(?:{_SAID_YEAR}|(?:1[89]|20)[0-9]{{2}})"
_GAP = "(?:, ?| (?:of |in )?)"
_END = "(?![0-9a-z])"
_DATE = re.compile(
    rf"(?<![0-9a-z])(?:the )?(?:{_DAY}(?: of)? {_MONTH}{_GAP}{_YEAR}|{_DIGIT_DAY}(?: of)? {_MONTH}{_GAP}{_SAID_YEAR}"
    rf"|{_MONTH} (?:the )?{_DAY}{_GAP}{_YEAR}|{_MONTH} {_DIGIT_DAY}{_GAP}{_SAID_YEAR}){_END}"
)
_SIGNS = ("first", "second", "third", "th of ", "th ", "th,", "nineteen ", "two thousand")


def english_dates(lowered: str) -> Iterator[tuple[int, int]]:
    """Where dates stand that are read out, in text of small letters."""
    if any(map(lowered.__contains__, _SIGNS)):
        for match in _DATE.finditer(lowered):
            yield match.span()
