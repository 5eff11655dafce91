"""What tells a birth without a label."""

from __future__ import annotations

import pytest

from recognizers.birth_signs import after_person, beside_particulars
from recognizers.dates import Date, dates
from recognizers.folded import FoldedText


def first(text: str) -> tuple[FoldedText, Date]:
    folded = FoldedText(text)
    return folded, min(dates(folded))


@pytest.mark.parametrize(
    "text", ["40歳、1985/4/17", "女 / 1985/4/17", "1985/4/17,M,東京", "1985-04-17 TK0102034", "日出様(1985/4/17)"]
)
def test_age_sex_document_and_honorific_stand_beside(text: str) -> None:
    folded, date = first(text)
    assert beside_particulars(folded.folded, date)


@pytest.mark.parametrize("text", ["40個、1985/4/17", "1985/4/17,A,東京", "日出様 2024/4/17"])
def test_other_neighbours_say_nothing(text: str) -> None:
    folded, date = first(text)
    assert not beside_particulars(folded.folded, date)


@pytest.mark.parametrize(
    "text", ["日出 葵 1985/4/17", "・ヒノデ アオイ、1985/4/17", "葵(あおい) R2.4.17", "氏名 日出葵 1985/4/17"]
)
def test_early_dates_after_names_and_any_after_a_reading(text: str) -> None:
    assert after_person(*first(text))


@pytest.mark.parametrize(
    "text",
    [
        "日出 葵 2024/4/17",
        "日出 葵 1985/4/17付",
        "作成 日出 葵 1985/4/17",
        "(株)日出製作所 1985/4/17",
        "日出葵は1985/4/17に",
    ],
)
def test_records_and_sentences_are_no_rosters(text: str) -> None:
    assert not after_person(*first(text))
