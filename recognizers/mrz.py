"""The machine-readable lines of passports and residence papers: number, birth and expiry in fixed places.

Only the second line of a passport (TD3) is read: nine characters of number, check digit, state, YYMMDD and its check
digit, sex, YYMMDD. The layout of 28 fixed characters is telling; check digits are not asked for, since specimens and
scans get them wrong.
Source: ICAO Doc 9303 part 4, 4.2.2.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from recognizers.folded import FoldedText

_LINE = re.compile(
    r"(?<![0-9A-Z<])(?P<number>[A-Z0-9][A-Z0-9<]{8})<?[0-9<][A-Z<]{3}(?P<birth>[0-9]{6})[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{0,16}"
)


class MachineReadable(NamedTuple):
    """Where the number and the birth of one line stand, folded offsets."""

    number: tuple[int, int]
    birth: tuple[int, int]


def mrz_lines(text: FoldedText) -> list[MachineReadable]:
    """The second lines of passports in `text`."""
    return text.view(_lines)


def _lines(text: FoldedText) -> list[MachineReadable]:
    if "<" not in text.folded:
        return []
    found: list[MachineReadable] = []
    for match in _LINE.finditer(text.folded):
        first, last = match.span("number")
        size = len(match["number"].rstrip("<"))
        found.append(MachineReadable((first, min(last, first + size)), match.span("birth")))
    return found
