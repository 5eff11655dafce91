"""Columns and their headers."""

from __future__ import annotations

import pytest

from recognizers.folded import FoldedText
from recognizers.tables import cell_at, column_header


def header(text: str, value: str) -> str | None:
    folded = FoldedText(text)
    span = column_header(folded, folded.folded.index(value))
    return None if span is None else folded.folded[slice(*span)].strip()


@pytest.mark.parametrize(
    "text",
    [
        "番号,氏名,生年月日,電話\n1,佐藤,1990-01-05,X\n2,鈴木,1991-02-06,Y",
        "氏名\t生年月日\t電話\n佐藤\t1990-01-05\t1\n鈴木\t1991-02-06\t2",
        "| 氏名 | 生年月日 | 電話 |\n|---|---|---|\n| 佐藤 | 1990-01-05 | 1 |\n| 鈴木 | 1991-02-06 | 2 |",
        "名簿, 7月\n氏名,生年月日,電話\n佐藤,1990-01-05,1\n鈴木,1991-02-06,2",
        "氏名   生年月日    電話\n佐藤 葵   1990-01-05  1\n鈴木   1991-02-06  2",
        '{"columns":["氏名","生年月日","電話"],\n"rows":[["佐藤","1990-01-05","1"],\n ["鈴木","1991-02-06","2"]]}',
        "<tr><th>氏名</th><th>生年月日</th></tr>\n<tr><td>佐藤</td><td>1990-01-05</td></tr><tr><td>鈴木</td><td>1991-02-06</td></tr>",
        '"氏名","生年月日","電話"\n"佐藤, 太郎","1990-01-05","1"\n"鈴木","1991-02-06","2"',
    ],
)
def test_every_row_finds_its_column(text: str) -> None:
    for value in ("1990-01-05", "1991-02-06"):
        assert (header(text, value) or "").strip('"') == "生年月日"


def test_sql_columns_are_headers_of_each_row() -> None:
    text = "INSERT INTO t (name, zip, account_no) VALUES ('a', '9860000', 'x'), ('b', '5040000', 'y');"
    assert header(text, "9860000") == header(text, "5040000") == "zip"


def test_prose_with_commas_is_no_table() -> None:
    assert header("電話は、後で、掛けます\n次に、1234567、です", "1234567") is None


def test_a_header_line_and_extra_cells_have_no_header() -> None:
    text = "氏名,電話\n佐藤,090,extra"
    assert header(text, "氏名") is None
    assert header(text, "extra") is None


def test_lists_that_do_not_follow_a_list_of_names_are_no_rows() -> None:
    text = '{"columns":["氏名","生年月日"],"data":[["佐藤","1"]],"note":"x"} ["7", "8"]'
    assert header(text, "8") is None
    assert header('["赤","青"], ["1","2"]', "2") is None


def test_a_cell_knows_where_it_starts() -> None:
    text = FoldedText("氏名,電話\n佐藤,090")
    cell = cell_at(text, text.folded.index("090"))
    assert cell is not None
    assert cell.start == text.folded.index("090")


@pytest.mark.parametrize(
    "text", ["<think>佐藤さんに返事</think>", "the <thead> is empty", "<table><th>", "<th></th>", "</th><tr><th"]
)
def test_what_begins_like_a_head_row_and_is_none_is_read(text: str) -> None:
    assert cell_at(FoldedText(text), 0) is None
