"""Births, and other dates. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.date_of_birth import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "生年月日 ⟦平成9年12月3日⟧",
        "⟦昭和55年5月5日⟧生",
        "DOB: ⟦1988.02.14⟧",
        "born ⟦14 July 1988⟧",
        "鈴木 一郎様(⟦S44/06/11⟧)",
        "⟦2000年8月15日⟧(25歳)",
        "生年月日:⟦昭61. 9. 4⟧",
        "お誕生日は⟦一九七〇年五月十一日⟧",
        "氏名,生年月日\na,⟦1990-01-05⟧",
        "生年月日 ⟦5-501231⟧",
        "「生年月日は」「⟦昭和四十八年の、七月二十日⟧です」",
        '"女","⟦2001/01/31⟧"',
        "Date of birth ⟦Aug 30, 1990⟧",
        "長女 みのり (⟦平20.1.15⟧)",
        "1 城ノ内 烈(6年)⟦2013.9.14⟧",
        "⟦11JUL1969⟧ TK0998877",
        "生年月日 ⟦昭和 5 2年 1 2月 2 5日⟧",
        "⟦1990-01-05⟧ 男 35歳",
        "⟦2000年5月5日⟧に生まれた子",
        "生年月日を教えてください。\n客:⟦昭和40年、3月2日⟧です",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "平成28年3月1日に施行",
        "契約日 2023年4月1日",
        "2025-11-03",
        "在学証明書 生年月日 不明\n令和7年11月10日\n校長",
        "開会式(令和7年11月7日)",
        "令和7年10月1日9時に負傷",
        "1976年3月1日、66歳で死去",
        "契約日2025/10/30、誕生日クーポン",
        "S3-2-1",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
