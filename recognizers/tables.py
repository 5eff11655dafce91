"""Columns: the header cell above a value in CSV, TSV, pipe tables, ASCII forms and SQL VALUES lists.

Strategy: lines that follow each other and share a delimiter form a table; its first line is the header when it has no
digits but in labels (`住所1`). Parsed once per text and only when a delimiter stands on two lines; a look-up is a
bisection over lines and one count in the line. Quoted cells may hold the delimiter.

Limits: a table has at most 64 columns; a row may have fewer cells than the header; cells with line breaks are not joined.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from recognizers.folded import FoldedText
from recognizers.labels import labels

MAX_COLUMNS = 64
_DELIMITERS = ("\t", "|", ",", ";")
_CELL = {mark: re.compile(rf'[ "]*"[^"\n]*"|[^{re.escape(mark)}\n]*') for mark in _DELIMITERS}
_INSERT = re.compile(r"(?i)\(([^()\n]{3,400})\)\s{0,8}values\b\s{0,8}")
_HEADER_DIGITS = re.compile(r"[0-9]{3}")

Span = tuple[int, int]


class Table(NamedTuple):
    """Header cells (folded offsets) of the rows that lie in [start, end), with the delimiter of the rows."""

    start: int
    end: int
    delimiter: str
    header: tuple[Span, ...]


class Cell(NamedTuple):
    """A cell below a header: where the header cell stands and where this one starts, folded offsets."""

    header: Span
    start: int


def column_header(text: FoldedText, place: int) -> Span | None:
    """Where the header cell of the column stands that `place` is in; None outside tables and in header lines."""
    cell = cell_at(text, place)
    return None if cell is None else cell.header


def cell_at(text: FoldedText, place: int) -> Cell | None:
    """The cell that `place` is in; None outside tables, in header lines and past the last header cell."""
    table = table_at(text, place)
    if table is None:
        return None
    cells = _row(text.folded, place, table)
    column = sum(1 for cell in cells if cell[1] < place)
    return Cell(table.header[column], cells[column][0]) if column < min(len(table.header), len(cells)) else None


def table_at(text: FoldedText, place: int) -> Table | None:
    """The table whose rows `place` is in."""
    tables = text.view(_tables)
    index = bisect_right(tables, (place, len(text.folded) + 1)) - 1
    return tables[index] if index >= 0 and tables[index].start <= place < tables[index].end else None


def _row(folded: str, place: int, table: Table) -> list[Span]:
    opening = "\n(" if table.delimiter == "(" else "\n"
    mark = "," if table.delimiter == "(" else table.delimiter
    first = max(folded.rfind(sign, table.start - 1 if table.start else 0, place) for sign in opening) + 1
    first = max(first, table.start)
    return _cells(folded, first, _line_end(folded, first), mark)


def _tables(text: FoldedText) -> list[Table]:
    folded = text.folded
    found = _inserts(folded)
    if "\n" in folded:
        found += _line_tables(text)
    return sorted(found)


def _line_tables(text: FoldedText) -> list[Table]:
    found: list[Table] = []
    for mark in _DELIMITERS:
        if text.folded.count(mark) > 1:
            found += _tables_with(text, mark)
    return found


def _tables_with(text: FoldedText, mark: str) -> Iterator[Table]:
    folded = text.folded
    start = 0
    header: Span | None = None
    for end in [*_breaks(folded), len(folded)]:
        has_mark = folded.find(mark, start, end) >= 0
        if has_mark and header is None:
            header = (start, end)
        elif not has_mark and header is not None:
            yield from _table(text, header, start, mark)
            header = None
        start = end + 1
    if header is not None:
        yield from _table(text, header, len(folded), mark)


def _table(text: FoldedText, header: Span, end: int, mark: str) -> Iterator[Table]:
    """The table under `header`, when it has rows and two cells of its first line are labels."""
    body = header[1] + 1
    if end <= body or _HEADER_DIGITS.search(text.folded, *header):
        return
    cells = _cells(text.folded, *header, mark)
    known = text.view(labels)
    if sum(1 for cell in cells if known.between(*cell)) > 1:
        yield Table(body, end, mark, tuple(cells))


def _inserts(folded: str) -> list[Table]:
    """`(name, zip) VALUES ('…', '…'), (…)`: the list of columns is the header, each bracket a row."""
    found: list[Table] = []
    if "values" not in folded and "VALUES" not in folded:
        return found
    for match in _INSERT.finditer(folded):
        end = folded.find(";", match.end())
        header = _cells(folded, *match.span(1), ",")
        found.append(Table(match.end(), len(folded) if end < 0 else end, "(", tuple(header)))
    return found


def _cells(folded: str, start: int, end: int, mark: str) -> list[Span]:
    cells: list[Span] = []
    pattern = _CELL[mark]
    while start <= end and len(cells) < MAX_COLUMNS:
        match = pattern.match(folded, start, end)
        last = match.end() if match else start
        while last < end and folded[last] != mark:
            last += 1
        cells.append((start, last))
        start = last + 1
    return cells


def _breaks(folded: str) -> list[int]:
    return [match.start() for match in re.finditer("\n", folded)]


def _line_end(folded: str, start: int) -> int:
    end = folded.find("\n", start)
    return len(folded) if end < 0 else end
