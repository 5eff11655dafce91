"""Account numbers. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.bank_account import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "普通 ⟦1234567⟧",
        "(普)⟦1234567⟧",
        "口座番号:⟦１２３４５６７⟧",
        "account no. ⟦003-912345-6⟧",
        "北洋銀行 本店 ⟦0012345⟧",
        "記号⟦11120⟧ー番号⟦10203041⟧ ゆうちょ",
        "ゆうちょ ⟦17310-22334451⟧",
        "氏名,口座番号\na,⟦7654321⟧",
        "普通⟦1234567⟧と、定期No.⟦7654321⟧があります",
        '"accountNumber":"⟦1234567⟧"',
        "bankAccountNumber=⟦0012345⟧",
        "当座No.⟦0011223⟧",
        "貯蓄預金#⟦1122334⟧",
        "口座は普通の、⟦ゼロイチニー、サンヨンゴーロク⟧です",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "品番 1234567",
        "1234567",
        "健康保険 記号14080 番号123",
        "普通は3,000円",
        "店番214",
        "定期券No.1234567",
        "定期点検 No.1234567",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
