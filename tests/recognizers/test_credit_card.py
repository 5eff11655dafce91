"""Payment cards. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.credit_card import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "カード ⟦4111 1111 1111 1111⟧",
        "⟦4111-1111-1111-1111⟧",
        "⟦４１１１１１１１１１１１１１１１⟧",
        "amex ⟦3782 822463 10005⟧",
        "⟦3056-930902-5904⟧",
        "JCB ⟦3530111333300000⟧",
        "カードの番号は上四桁が⟦4111、次が1111、次が1111、最後が1111⟧です",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "9999 9999 9999 9995",
        "JAN 4901234567894",
        "注文番号 4242424242424242",
        "自然対数の底は2.718281828459045",
        "カードは4111件、次が1111、次が1111、最後が1112",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
