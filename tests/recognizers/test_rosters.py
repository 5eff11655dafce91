"""Lists that go on."""

from __future__ import annotations

import pytest

from recognizers.dates import Date, dates
from recognizers.folded import FoldedText
from recognizers.rosters import Roster


def listed(text: str) -> tuple[Roster, list[Date]]:
    folded = FoldedText(text)
    return Roster(folded.folded), list(dates(folded))


def test_the_line_below_goes_on_with_the_same_shape() -> None:
    roster, (first, second) = listed("1 甲野 葵 2001年1月5日\n2 〃 茜 2002年1月5日")
    assert not roster.goes_on(first)
    roster.add(first)
    assert roster.goes_on(second)


@pytest.mark.parametrize(
    "text",
    [
        "1 甲野 葵 2001年1月5日\n2 退職2002年1月5日",
        "1 甲野 葵 2001年1月5日\n\n2 乙野 茜 2002年1月5日",
        "1 甲野 葵 2001年1月5日、2 乙野 茜 2002年1月5日",
        "2001年1月5日\n2002年1月5日",
    ],
)
def test_another_shape_or_a_gap_ends_it(text: str) -> None:
    roster, (first, second) = listed(text)
    roster.add(first)
    assert not roster.goes_on(second)
