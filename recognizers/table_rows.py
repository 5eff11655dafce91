r"""Cells of one row, by the way its table is written. Pure functions of text and offsets, bounded by `MAX_COLUMNS`.

A delimiter is one of `\t | , ;` (lines of a file), two spaces (columns set apart by eye), `(` (SQL VALUES), `[` (rows as
JSON lists) or `<` (HTML rows).
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_COLUMNS = 64
BLANKS = "  "
_QUOTED = {mark: re.compile(rf'[ "]*"[^"\n]*"|[^{re.escape(mark)}\n]*') for mark in ("\t", "|", ",", ";")}
_SET_APART = re.compile(r"[^ \n]+(?: [^ \n]+)*")
_TAGGED = re.compile(r"(?i)<t[hd][^<>\n]{0,80}>(?P<cell>(?:[^<]|<(?!/?t[hdr])){0,200})")
# What a row begins with, and what parts its cells.
_OPENINGS = {"(": ("\n(", ","), "[": ("\n[", ","), "<": ("", "<")}

Span = tuple[int, int]


class Table(NamedTuple):
    """Header cells (folded offsets) of the rows that lie in [start, end), with the delimiter of the rows."""

    start: int
    end: int
    delimiter: str
    header: tuple[Span, ...]


def row_cells(folded: str, place: int, table: Table) -> list[Span]:
    """The cells of the row of `table` that `place` is in."""
    opening, mark = _OPENINGS.get(table.delimiter, ("\n", table.delimiter))
    floor = table.start - 1 if table.start else 0
    if mark == "<":
        first, last = folded.rfind("<tr", floor, place), folded.find("</tr", place, table.end)
        return cells(folded, max(first, table.start), table.end if last < 0 else last, mark)
    first = max(max(folded.rfind(sign, floor, place) for sign in opening) + 1, table.start)
    return cells(folded, first, line_end(folded, first), mark)


def cells(folded: str, start: int, end: int, mark: str) -> list[Span]:
    """Where the cells of the row [start, end) stand."""
    if mark == "<":
        return [match.span("cell") for match in _TAGGED.finditer(folded, start, end)][:MAX_COLUMNS]
    if mark == BLANKS:
        return [match.span() for match in _SET_APART.finditer(folded, start, end)][:MAX_COLUMNS]
    return _parted(folded, start, end, mark)


def _parted(folded: str, start: int, end: int, mark: str) -> list[Span]:
    found: list[Span] = []
    pattern = _QUOTED[mark]
    while start <= end and len(found) < MAX_COLUMNS:
        match = pattern.match(folded, start, end)
        last = match.end() if match else start
        while last < end and folded[last] != mark:
            last += 1
        found.append((start, last))
        start = last + 1
    return found


def line_end(folded: str, start: int) -> int:
    """The end of the line that `start` is in."""
    end = folded.find("\n", start)
    return len(folded) if end < 0 else end
