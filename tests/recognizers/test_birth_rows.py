"""Rows without a header."""

from __future__ import annotations

import pytest

from recognizers.birth_rows import in_row
from recognizers.dates import dates
from recognizers.folded import FoldedText


def rows(text: str) -> list[str]:
    folded = FoldedText(text)
    return [text[date.start : date.end] for date in dates(folded) if in_row(folded.folded, date)]


@pytest.mark.parametrize(
    ("text", "births"),
    [
        ("7;Hinode;Aoi;19990217;20050401", ["19990217"]),
        ("日出 葵,H15/6/6,B-04", ["H15/6/6"]),
        ("7,日出,S59/2/28,070-0000-4425", ["S59/2/28"]),
        ("7|x|aoi@mail.example|1979-05-30|", ["1979-05-30"]),
        ("2009-01-05,日出 葵,5000", []),
        ("日出 葵,1999-02-17", []),
        ("日出 葵,2024-02-17,3", []),
        ("大阪,東京,1998-02-03,12", []),
    ],
)
def test_the_first_early_date_beside_a_person_is_a_birth(text: str, births: list[str]) -> None:
    assert rows(text) == births
