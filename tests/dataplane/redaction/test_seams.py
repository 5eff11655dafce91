"""Values that lie across the parts of a message."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from support.redacting import cuts, finish, redaction, scan

from dataplane.redaction.seams import REACH, WINDOW, across


def sent(*parts: str, follows: dict[int, int] | None = None) -> list[str]:
    chain = {index: index - 1 for index in range(1, len(parts))} if follows is None else follows
    return finish(redaction().request_steps(parts, follows=chain))


def test_a_number_cut_in_two_by_the_parts_is_found_in_both() -> None:
    assert sent("電話は03-1234-", "5678です。") == ["電話は<PHONE_NUMBER_1>", "<PHONE_NUMBER_2>です。"]


def test_a_number_over_three_parts_is_found_in_all() -> None:
    assert sent("電話 03-", "1234", "-5678") == ["電話 <PHONE_NUMBER_1>", "<PHONE_NUMBER_2>", "<PHONE_NUMBER_3>"]


def test_texts_that_do_not_follow_each_other_are_read_apart() -> None:
    assert sent("電話は03-1234-", "5678です。", follows={}) == ["電話は03-1234-", "5678です。"]


def test_what_a_part_holds_by_itself_stays_whole() -> None:
    assert sent("田中太郎", "花子と佐藤") == ["<PERSON_1>", "花子と<PERSON_2>"]
    assert sent("電話03-1234-5678", "90") == ["電話<PHONE_NUMBER_1>", "90"]


def test_a_piece_without_letters_or_digits_stays() -> None:
    assert sent("03-1234", "-", "5678") == ["<PHONE_NUMBER_1>", "-", "<PHONE_NUMBER_2>"]


def test_long_parts_are_read_only_around_their_seams() -> None:
    read: list[int] = []

    def counting(text: str) -> list[object]:
        read.append(len(text))
        return []

    for _ in across(["あ" * 50_000] * 4, {1: 0, 2: 1, 3: 2}, counting):
        pass
    assert read == [2 * REACH] * 3


def test_many_tiny_parts_are_read_in_bounded_pieces() -> None:
    read: list[int] = []
    parts = ["あ"] * 10_000
    steps = across(parts, {index: index - 1 for index in range(1, 10_000)}, lambda text: read.append(len(text)) or [])
    assert sum(1 for _ in steps) == len(read)
    assert max(read) <= WINDOW
    assert sum(read) <= 1.5 * len(parts)


@given(st.data())
def test_wherever_the_parts_are_cut_no_whole_value_is_sent(data: st.DataObject) -> None:
    text = "お電話は03-1234-5678、担当は佐藤花子です。メールはabc.def@example.comへ。"
    parts = data.draw(cuts(text))
    out = "".join(finish(redaction().request_steps(parts, follows={i: i - 1 for i in range(1, len(parts))})))
    for span in scan(text):
        value = text[span.start : span.end]
        for size, start in itertools.product((4,), range(len(value) - 3)):
            piece = value[start : start + size]
            assert not piece.isalnum() or piece not in out
