"""Addresses in kana. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.address_kana import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "⟦あきたけん よこてし じゅうもんじまち あざ にしうら 4⟧",
        "⟦ﾄｳｷｮｳﾄ ﾈﾘﾏｸ ﾋｶﾘｶﾞｵｶ 3-9-2⟧",
        "⟦ふくいけん さばえし ひのでちょう ぜろ の に の なな⟧ です",
        "⟦ふくおかけんくるめしひがしまち12の3⟧にすんでいます",
        "じゅうしょは⟦よこはまし つるみく しもすえよし 3-4-5⟧です",
        "⟦ｵｵｻｶｼ ﾋｶﾞｼﾖﾄﾞｶﾞﾜｸ ｱﾜｼﾞ 4-12-8 ｻﾝﾊｲﾂ203⟧",
        "じゅうしょは⟦いばらきけん とりでし しんめい 3ちょうめ 7ばん 33ごう⟧、",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "けんとうします 3",
        "ほっかいどうはひろい",
        "きょうとふ",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
