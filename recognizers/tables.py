"""Columns: the header cell above a value in CSV, TSV, pipe tables, columns set apart by spaces, ASCII forms, HTML tables,
JSON lists of rows and SQL VALUES lists.

Strategy: lines that follow each other and share a delimiter form a table; its header is the first line without digits
of which two cells are labels (`住所1` may have its digit), within the first few lines. Rows in brackets follow a bracket of
column names. Parsed once per text; a look-up is a bisection over tables and one count in the row.

Limits: a table has at most 64 columns; a row may have fewer cells than the header; cells with line breaks are not joined.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.table_rows import BLANKS, Span, Table, cells, row_cells

_DELIMITERS = ("\t", "|", ",", ";", BLANKS)
# A title or a line of dashes may stand above the header.
_HEADER_WITHIN = 6
_HEADER_DIGITS = re.compile(r"[0-9]{3}")
_INSERT = re.compile(r"(?i)\(([^()\n]{3,400})\)\s{0,8}values\b\s{0,8}")
_NAMES = re.compile(
    r"\[(?P<names>\s{0,20}+\"[^\"\[\]\n]{1,40}\"(?>(?:\s{0,20}+,\s{0,20}+\"[^\"\[\]\n]{1,40}\"){1,63}))\s{0,20}+\]"
)
_LIST_ROW = re.compile(r"[\s,\]}]{0,40}+(?:\"[A-Za-z_]{1,16}\"\s{0,4}:\s{0,20}+\[\s{0,20}+)?\[[^\[\]]{1,800}\]")
_HEAD_ROW = re.compile(r"(?i)<tr[^<>\n]{0,80}>\s{0,40}+(?=<th)")


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
    row = row_cells(text.folded, place, table)
    column = sum(1 for cell in row if cell[1] < place)
    return Cell(table.header[column], row[column][0]) if column < min(len(table.header), len(row)) else None


def table_at(text: FoldedText, place: int) -> Table | None:
    """The table whose rows `place` is in."""
    known = text.view(tables)
    index = bisect_right(known, (place, len(text.folded) + 1)) - 1
    return known[index] if index >= 0 and known[index].start <= place < known[index].end else None


def tables(text: FoldedText) -> list[Table]:
    """All tables of `text`, by start; for `FoldedText.view`."""
    folded = text.folded
    found = [*_inserts(folded), *_listed(text), *_tagged(text)]
    if "\n" in folded:
        for mark in _DELIMITERS:
            if folded.count(mark) > 1:
                found += _tables_with(text, mark)
    return sorted(found)


def _tables_with(text: FoldedText, mark: str) -> Iterator[Table]:
    """The tables among runs of lines that have `mark`."""
    folded = text.folded
    start = lines = 0
    header: tuple[Span, ...] = ()
    body = 0
    for end in [*_breaks(folded), len(folded)]:
        if folded.find(mark, start, end) < 0:
            if header and start > body:
                yield Table(body, start, mark, header)
            lines, header = 0, ()
        else:
            lines += 1
            if not header and lines <= _HEADER_WITHIN:
                header, body = _header(text, (start, end), mark, first=lines == 1), end + 1
        start = end + 1
    if header and body < len(folded):
        yield Table(body, len(folded), mark, header)


def _header(text: FoldedText, line: Span, mark: str, *, first: bool) -> tuple[Span, ...]:
    """The cells of a line when two are labels, and most where other lines stand above; else nothing."""
    if _HEADER_DIGITS.search(text.folded, *line):
        return ()
    return _labelled(text, tuple(cells(text.folded, *line, mark)), most=not first or mark == BLANKS)


def _labelled(text: FoldedText, found: tuple[Span, ...], *, most: bool) -> tuple[Span, ...]:
    known = text.view(labels)
    count = sum(1 for cell in found if known.between(*cell))
    return found if count > 1 and (not most or 2 * count > len(found)) else ()


def _inserts(folded: str) -> Iterator[Table]:
    """`(name, zip) VALUES ('…', '…'), (…)`: the list of columns is the header, each bracket a row."""
    if "values" not in folded and "VALUES" not in folded:
        return
    for match in _INSERT.finditer(folded):
        end = folded.find(";", match.end())
        header = cells(folded, *match.span(1), ",")
        yield Table(match.end(), len(folded) if end < 0 else end, "(", tuple(header))


def _listed(text: FoldedText) -> Iterator[Table]:
    """`["氏名","電話"], ["…","…"]`: a list of names, then lists of values."""
    folded = text.folded
    if '["' not in folded and '[ "' not in folded and "[\n" not in folded:
        return
    done = 0
    for match in _NAMES.finditer(folded):
        if match.start() < done or _HEADER_DIGITS.search(match["names"]):
            continue
        header = _labelled(text, tuple(cells(folded, *match.span("names"), ",")), most=True)
        done = end = match.end()
        while header and (row := _LIST_ROW.match(folded, end)):
            end = row.end()
        if end > match.end():
            done = end
            yield Table(match.end(), end, "[", header)


def _tagged(text: FoldedText) -> Iterator[Table]:
    """Rows of an HTML table below a row of `<th>`."""
    folded = text.folded
    if "<th" not in folded:
        return
    heads = list(_HEAD_ROW.finditer(folded))
    for head, following in zip_longest(heads, heads[1:]):
        closed = folded.find("</tr", head.end())
        ended = folded.find("</table", head.end())
        end = min(place for place in (ended, following.start() if following else -1, len(folded)) if place >= 0)
        header = tuple(cells(folded, head.end(), closed, "<")) if 0 <= closed < end else ()
        if header and _labelled(text, header, most=False):
            yield Table(closed, end, "<", header)


def _breaks(folded: str) -> list[int]:
    return [match.start() for match in re.finditer("\n", folded)]
