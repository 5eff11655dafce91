"""Digit strings in every writing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizers.folded import FoldedText
from recognizers.numbers import (
    _SPOKEN,
    _SPOKEN_AHEAD,
    _SPOKEN_RUN,
    counted,
    has_digits,
    numbers,
    of_lengths,
    readings,
    tied,
)


@pytest.mark.parametrize(
    ("written", "digits", "groups"),
    [
        ("090-1234-5678", "09012345678", (3, 4, 4)),
        ("０９０（１２３４）５６７８", "09012345678", (3, 4, 4)),
        ("(045)000-6612", "0450006612", (3, 3, 4)),
        ("0 5 5 - 0 0 0 - 3 4 4 1", "0550003441", (1,) * 10),
        ("O73-OOO-1187", "0730001187", (3, 3, 4)),
        ("〇九〇の一二三四の五六七八", "09012345678", (3, 4, 4)),
        ("ゼロキュウゼロの、イチニサンヨンの、ゴーロクナナハチ", "09012345678", (3, 4, 4)),
        ("はちはちいち の ぜろぜろぜろぜろ", "8810000", (3, 4)),
        ("1\u200b2\u200b3\u200b4", "1234", (4,)),
        ("〒160〜0000", "1600000", (3, 4)),
    ],
)
def test_one_writing_gives_one_number(written: str, digits: str, groups: tuple[int, ...]) -> None:
    (number,) = numbers(FoldedText(written))
    assert (number.digits, number.groups) == (digits, groups)


@pytest.mark.parametrize("written", ["sk-abc", "0f8fad5b", "Oslo", "I am", "○○ ○○", "にくさん", "x1", "1" * 100])
def test_what_is_no_number_gives_none(written: str) -> None:
    assert numbers(FoldedText(written)) == []


def test_a_plus_sign_makes_a_number_international_and_belongs_to_it() -> None:
    (number,) = numbers(FoldedText("tel +81 (0)90-0777-0001"))
    assert (number.start, number.international) == (4, True)


def test_two_numbers_side_by_side_are_also_read_apart() -> None:
    found = readings(FoldedText("4455660 8810022"))
    assert {number.digits for number in found[7]} == {"4455660", "8810022"}


def test_spaced_digits_are_one_number_and_not_cut() -> None:
    assert list(readings(FoldedText("9 0 8 7 6 5 4"))) == [7]


def test_amounts_dates_and_ordinals_are_counted() -> None:
    for written, counts in (
        ("14,190円", True),
        ("49条", True),
        ("第12", True),
        ("¥5478", True),
        ("1234567 円滑", True),
        ("1234です", False),
    ):
        text = FoldedText(written)
        assert counted(text.folded, numbers(text)[-1]) is counts, written


def test_the_tail_of_an_identifier_is_tied() -> None:
    for written, is_tied in (
        ("OSK-07-2501", True),
        ("#1182", True),
        ("1.2.3", False),
        ("Tel.03-0001", False),
        ("は07-2501", False),
    ):
        text = FoldedText(written)
        assert tied(text.folded, numbers(text)[-1]) is is_tied, written


@settings(max_examples=400)
@given(st.text(alphabet="0123OoIl -ー~.()の、一二〇ゼロイチ+a\u200b", max_size=80))
def test_a_reading_lies_in_the_text_and_says_what_stands_there(written: str) -> None:
    text = FoldedText(written)
    for length, found in readings(text).items():
        for number in found:
            assert len(number.digits) == length == sum(number.groups)
            assert len(number.joins) == len(number.groups) - 1
            assert 0 <= number.start < number.end <= len(text.folded)
    assert all(len(number.digits) == 4 for number in of_lengths(text, 4))


@given(
    st.lists(
        st.sampled_from(
            ["ゼロ", "きゅう", "いち", "に", "になり", "の", "、", "は", "ハイフン", "さん", "田", " ", "7", "ろく。"]
        ),
        max_size=14,
    )
)
def test_runs_of_spoken_characters_hold_every_spoken_number(parts: list[str]) -> None:
    text = "".join(parts)
    expected = [m.span() for m in _SPOKEN.finditer(text) if m.end() - m.start() >= 4]
    runs = [run.span() for run in _SPOKEN_RUN.finditer(text)]
    assert all(any(first <= start and end <= last for first, last in runs) for start, end in expected)
    within = [m.span() for first, last in runs for m in _SPOKEN.finditer(text, first, last + _SPOKEN_AHEAD)]
    assert [span for span in within if span[1] - span[0] >= 4] == expected


def test_digits_of_any_script_count_as_digits_and_numerals_do_not() -> None:
    assert all(has_digits(FoldedText(text)) for text in ("3", "第３回", "٣", "%33"))
    assert not any(has_digits(FoldedText(text)) for text in ("", "三", "OOl", "さん"))
