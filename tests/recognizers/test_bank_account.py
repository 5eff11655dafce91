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
        ":50K:/⟦0102034⟧\nHINODE AOI",
        ":59:/⟦0102035⟧\nHINODE AOI",
        "ゆうちょ 記号⟦10540⟧-番号⟦2290417 1⟧",
        "普通 ⟦O 6 l 2 7 3 8⟧",
        "郵便振替 ⟦00150-3-123456⟧",
        "kouza_bango: ⟦0102034⟧",
        "ふつう ⟦0102034⟧ みなと銀行",
        "金融機関 みなと信用金庫 三宮支店\n種別 普通\n番号 ⟦0102034⟧",
        "普通の⟦ゼロサンハチハチ一二七⟧",
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
        "例)〇〇銀行 〇〇支店 普通 1234567",
        "普通列車 1234567",
        "口座数 1234567",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
