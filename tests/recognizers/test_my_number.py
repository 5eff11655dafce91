"""個人番号 in its writings, and what only looks like one. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.my_number import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "個人番号は⟦123456789018⟧です",
        "マイナンバー ⟦1234-5678-9018⟧",
        "⟦1234 5678 9018⟧ が個人番号",
        "⟦１２３４５６７８９０１８⟧",
        "個人番号 ⟦1 2 3 4 5 6 7 8 9 0 1 8⟧",
        "番号は⟦一二三四の五六七八の九〇一八⟧",
        "⟦1234\u200b56789018⟧",
        '{"mynumber":"⟦123456789018⟧"}',
        "父 ⟦123456789018⟧",
        "Tax ID on file: ⟦123456789018⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "個人番号 123456789012",
        "追跡番号 123456789018",
        "注文番号:1234-5678-9018",
        "1234567890180",
        "ABC123456789018",
        "Ref CS-202611040077",
        "ロト6 12 34 56 78 90 18",
        "テスト 1234 5678 9018 4445",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
