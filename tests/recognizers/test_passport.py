"""Passport numbers. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.passport import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "旅券番号⟦TR0000123⟧です",
        "Passport: ⟦FX123450A⟧",
        "パスポート ⟦14AB00123⟧",
        "護照 ⟦300123450⟧",
        "⟦ＴＫ１２３４５６７⟧(旅券)",
        "⟦TK0998877⟧",
        "旅券番号 ⟦TK 1 2 3 4 5 6 7⟧",
        "Passport No. ⟦M R 1 2 3 4 5 6 7⟧",
        "パスポート番号は ⟦TR-1234567⟧ です",
        "パスポート:⟦MU123 4567⟧",
        "旅券 ⟦TH 0O01234⟧",
        "発行国/JPN 旅券番号 ⟦ＭＺ ０ ０ １ ２ ３ ４ ５⟧\n姓 KOUNO",
        "旅券:⟦C 0102 3344⟧ 在留期限",
        "韓国籍・⟦M102B0334⟧",
        "Passports ⟦412233445⟧ and ⟦TK0102034⟧",
        "旅券 ⟦11223344⟧ 発行",
        "パスポートは⟦C01X00T47⟧です",
        "passportNo=⟦TK0102034⟧",
        "P<JPNHINODE<<AOI<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n⟦TK0102034⟧1JPN8504175F3004170<<<<<<<<<<<<<<08",
        "Passport ⟦TZ0418823⟧ (JPN), ⟦L01X00T47⟧ (DEU)",
        "パスポートの番号は ⟦75 0418832⟧ です",
        "パスポートが⟦ティーエー8830271⟧期限が",
        "⟦PA0913347⟧ 期限2030-01-15",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "TK1234567-B",
        "注文番号 TK1234567",
        "AB1234567",
        "X-TK1234567",
        "300123450",
        "型番 AB 1 2 3 4 5 6 7",
        "パスポート申請 2 3 4 5 6 7 8",
        "TR-1234567",
        '{"file":"TK0102034_final.pptx"}',
        "旅券の申請 20260417",
        "M102B03345",
        "請求書 M1022233344",
        "ppt-template TK0417229_final.pptx",
        "L01X00T47 (DEU)",
        "品番 75 0418832",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
