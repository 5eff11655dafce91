"""Postal codes that stand alone. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.postal_code import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "〒⟦100-0005⟧",
        "郵便番号 ⟦１００－０００５⟧",
        '{"zip":"⟦2430400⟧"}',
        "郵便番号欄に「⟦060ー0000⟧」と",
        "the zip is ⟦700-0999⟧",
        "氏名,郵便番号\na,⟦9860000⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "100-0005",
        "型番 100-0005",
        "1000005",
        "口座 1000005",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
