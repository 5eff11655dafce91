"""Dates in every writing."""

from __future__ import annotations

import pytest

from recognizers.dates import dates, is_code, is_era_letter
from recognizers.folded import FoldedText


def texts(text: str) -> list[str]:
    folded = FoldedText(text)
    return [folded.folded[date.start : date.end] for date in dates(folded)]


@pytest.mark.parametrize(
    "date",
    [
        "1990年1月5日", "平成2年1月5日", "平成元年5月5日", "昭和 5 2年 1 2月 2 5日", "昭和四十八年の、七月二十日", "一九七〇年五月十一日", "西暦1990年1月5日",
        "平成2年(1990年)1月5日", "1990(平成2)年1月5日", "H2年1月5日", "1990-01-05", "1990/1/5", "1990. 1. 5", "1990・1・5", "19900105", "05/01/1990",
        "S55.5.5", "S. 55. 5. 5", "昭55.5.5", "H02/01/05", "14 July 1988", "July 14, 1988", "July 14th, 1988", "14th of July 1988", "14-Jul-1988",
        "1988-Jul-14", "11JUL1969", "Showa 30 (1955), January 8", "1990/1/5(平成2年)", "大 正 2 年 2 月 2 5 日",
        "昭和の、三十九年の、十二月、九日", "昭和の四十二年の、一月、三日", "平成の、二年、十月、十日", "ろくがつ ついたち、昭和の六十年", "ごがつ いつか、昭和四十年",
        "六月一日、昭和六十年", "昭和よんじゅうにねん、はちがつ、とおか", "せんきゅうひゃくはちじゅうねん さんがつ ようか", "1 9 8 5 年 4 月 3 日",
        "しょうわ ごじゅうねんの、しがつ はつか", "昭和三十六年\n七月二日", "昭和45年\n        8月 3日", "昭和三十一年正月二日", "昭和の三十八年 十一月の二十一",
        "昭和十二、七、七", "昭・48・11・7", "the 5th of June, 1992", "the first of April 1931", "1993년 4월 17일",
    ],
)  # fmt: skip
def test_a_date_is_read_whole_between_words(date: str) -> None:
    assert texts(f"その日は {date} です") == [date]


@pytest.mark.parametrize(
    "text",
    [
        "1990年度",
        "3.11.7",
        "192.168.0.1",
        "10.0.0-rc1",
        "2025-1107-0042",
        "年月日",
        "第5-501号",
        "V2.14.3",
        "がつがつ食べる",
        "六月の売上、昭和の歌",
        "いちがつ",
    ],
)
def test_what_is_no_date_gives_none(text: str) -> None:
    assert texts(text) == []


def test_codes_of_forms_are_weak_and_recognised() -> None:
    text = FoldedText("5-501231")
    (date,) = dates(text)
    assert (date.weak, is_code(text.folded, date), is_era_letter(text.folded, date)) == (True, True, False)


def test_a_day_told_before_its_year_is_weak_until_the_year_comes() -> None:
    assert [date.weak for date in dates(FoldedText("ろくがつ ついたち、"))] == [True]
    assert [date.weak for date in dates(FoldedText("ろくがつ ついたち、昭和の六十年"))] == [False]


def test_era_letters_are_recognised() -> None:
    text = FoldedText("S55.5.5")
    (date,) = dates(text)
    assert (date.weak, is_era_letter(text.folded, date)) == (False, True)


def test_years_without_end_take_linear_time() -> None:
    assert texts("年" * 20_000 + "昭和" * 20_000 + "1990-" * 20_000) == []
