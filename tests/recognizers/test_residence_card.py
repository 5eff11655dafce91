"""在留カード. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.residence_card import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "在留カード ⟦AB12345678CD⟧",
        "証明書番号⟦AB12345678CD⟧。",
        "⟦AB 12345678 CD⟧",
        "⟦ＡＢ１２３４５６７８ＺＹ⟧",
        "番号 (⟦AX-13572468-BY⟧)",
        "⟦ab12345678cd⟧",
        "カード ⟦CD 0102 3344 EF⟧ で",
        "在留カードは⟦CD-0102-3344-EF⟧です",
        "在留カード番号 ⟦C D 0 1 0 2 3 3 4 4 E F⟧",
        "在留カードは⟦シーディーの〇一〇二三三四四のイーエフ⟧です",
        "在留カードは⟦シー、ディー、〇一〇二の、三三四四、イーエフ⟧です",
        "special permanent resident certificate ⟦B04417082⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "EN 123 456 789 JP",
        "SSID ab12345678cd",
        "ABC12345678CD",
        "AB12345678CDE",
        "型番 CD 0102 3344 EF",
        "C D 0 1 0 2 3 3 4 4 E F",
        "便名 CD 0102 3344 EF",
        "型番はシーディーの〇一〇二三三四四のイーエフ",
        "receipt B04417082",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
