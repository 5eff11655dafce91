"""Addresses in fields of their own. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.address_fields import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        '{"pref": "⟦沖縄県⟧", "city": "⟦那覇市⟧", "street": "⟦泉崎1-2-2⟧", "building": "⟦泉崎ビル405⟧"}',
        "<pref>⟦沖縄県⟧</pref><city>⟦那覇市⟧</city><street>⟦泉崎1-2-2⟧</street>",
        "都道府県: ⟦沖縄県⟧\n市区町村: ⟦那覇市⟧\n番地: ⟦泉崎1-2-2⟧",
        '"addressRegion":"⟦沖縄県⟧","addressLocality":"⟦那覇市⟧","streetAddress":"⟦泉崎1-2-2⟧"',
        "住所1:⟦沖縄県那覇市⟧\n住所2:⟦泉崎1-2-2⟧",
    ],
)
def test_every_part_of_one_record_is_found(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        '{"pref": "沖縄県", "city": "那覇市", "population": 313000}',
        '{"pref": "沖縄県", "count": 12}',
        "都道府県: 沖縄県\n市区町村: 那覇市\n番地: なし",
        '{"state": "open", "line1": 12, "line2": 14}',
        '{"capacity": "2-3", "city": "那覇市"}',
        "pref = 沖縄県" + "\n" * 200 + "番地: 1-2-2",
    ],
)
def test_statistics_and_other_fields_are_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
