"""Cells of rows in each way of writing a table."""

from __future__ import annotations

import pytest

from recognizers.table_rows import BLANKS, MAX_COLUMNS, Table, cells, row_cells


@pytest.mark.parametrize(
    ("row", "mark", "expected"),
    [
        ("a,b,c", ",", ["a", "b", "c"]),
        ('"a,b",c', ",", ['"a,b"', "c"]),
        ("  a b   c  d", BLANKS, ["a b", "c", "d"]),
        ("<td>a</td><TD class='x'>b <b>c</b></TD>", "<", ["a", "b <b>c</b>"]),
        ("", ",", [""]),
    ],
)
def test_cells_are_where_they_stand(row: str, mark: str, expected: list[str]) -> None:
    assert [row[slice(*cell)] for cell in cells(row, 0, len(row), mark)] == expected


def test_no_row_has_more_cells_than_the_limit() -> None:
    for mark in (",", BLANKS):
        assert len(cells(f"a{mark}" * 1_000, 0, 5_000, mark)) == MAX_COLUMNS


def test_a_row_of_a_list_begins_at_its_bracket() -> None:
    text = '["x","y"],["1","2"],["3","4"]'
    table = Table(9, len(text), "[", ((1, 4), (5, 8)))
    assert text[slice(*row_cells(text, text.index("4"), table)[0])] == '"3"'
