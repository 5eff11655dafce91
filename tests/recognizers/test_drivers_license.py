"""Licence numbers. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.drivers_license import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "免許証番号 ⟦305006289410⟧",
        "第⟦３０５００６２８９４１０⟧号(運転免許)",
        "免許 ⟦3050 0628 9410⟧",
        "licence no. ⟦305006289410⟧",
        "免許証 ⟦30 50 062894 1 0⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "免許証番号 305006289420",
        "伝票番号 305006289410",
        "305006289410123",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
