from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from support.redacting import cuts

from dataplane.redaction.cuts import Window
from dataplane.redaction.header import MAX_CHARS, Header
from dataplane.redaction.spans import Span
from dataplane.redaction.stream import HoldBack


def seen(text: str, context: int = 0) -> str:
    header = Header()
    header.advance(text)
    return header.above(context)


def test_the_first_line_of_a_table_stays_in_sight_of_its_rows() -> None:
    assert seen("前置き\n氏名,口座\n田中,12\n佐藤,") == "氏名,口座\n"


def test_the_second_line_is_the_header_when_it_has_more_cells() -> None:
    assert seen("名簿, 7月\n番号,氏名,口座\n1,田中,12\n2,佐藤,") == "番号,氏名,口座\n"
    assert seen('{"x":1,"rows":[\n ["番号","氏名","口座"],\n ["1","田') == ' ["番号","氏名","口座"],\n'


def test_later_rows_and_rows_of_numbers_never_take_its_place() -> None:
    assert seen("氏名,口座\n田中,12\na,b,c,d\n佐藤,") == "氏名,口座\n"
    assert seen("氏名,口座\n田中,1234,5,6\n佐藤,") == "氏名,口座\n"


def test_a_line_without_the_delimiter_ends_the_table() -> None:
    assert not seen("氏名,口座\n田中,12\n以上です\n次の行")


def test_prose_and_rows_of_numbers_are_no_header() -> None:
    assert not seen("Dear all, hello.\nnext, ")
    assert not seen("12,345\n1,")
    assert not seen("a," * MAX_CHARS + "\n1,2")


def test_a_header_inside_the_window_is_not_repeated() -> None:
    assert not seen("氏名,口座\n田中,", context=9)
    assert seen("氏名,口座\n田中,", context=8)


def test_the_beginning_of_a_row_is_scanned_with_its_end() -> None:
    header = Header()
    header.advance("a|b\nxyz|")
    assert header.line_chars == 4
    header.advance("y" * MAX_CHARS)
    assert header.line_chars == 0


@given(st.text("a,|\t\n1。", max_size=60), st.data())
def test_the_header_is_the_same_for_every_cut(text: str, data: st.DataObject) -> None:
    whole, parts = Header(), Header()
    whole.advance(text)
    for chunk in data.draw(cuts(text)):
        parts.advance(chunk)
    assert [whole.above(n) for n in range(60)] == [parts.above(n) for n in range(60)]
    assert whole.line_chars == parts.line_chars


def test_a_value_far_below_its_label_is_found_in_a_stream() -> None:
    def in_second_column(text: str, final: bool) -> list[Span]:
        label, rows = text.partition("\n")[::2]
        hits = re.finditer(r"(?m)(?<=,)\d{7}$", rows) if label == "id,account" else ()
        return [
            Span(hit.start() + len(label) + 1, hit.end() + len(label) + 1, "BANK_ACCOUNT", 0.9, "t") for hit in hits
        ]

    text = "id,account\n" + "".join(f"{row},{1234560 + row}\n" for row in range(200))
    hold = HoldBack(in_second_column, Window())
    clean = "".join(piece.text for piece in [*hold.feed(text), *hold.flush()] if piece.span is None)
    assert "12345" not in clean
