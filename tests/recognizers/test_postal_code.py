"""Postal codes that stand alone. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.postal_code import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "⟦〒100-0005⟧",
        "・⟦〒 390-0801⟧（登録: 北）",
        "郵便番号 ⟦１００－０００５⟧",
        '{"zip":"⟦2430400⟧"}',
        "郵便番号欄に「⟦060ー0000⟧」と",
        "郵便番号検索APIのテスト。入力:⟦1500001⟧ → 出力:東京都渋谷区神宮前",
        "郵便番号から住所を引く関数。input=⟦0600001⟧ output=札幌市中央区",
        "〒→住所変換: ⟦9800811⟧ → 宮城県仙台市",
        "郵便番号のAPI: ⟦5300001⟧ => 大阪府",
        "zip lookup: ⟦2310023⟧ -> 神奈川県横浜市",
        "会員の郵便番号だけ集計します。⟦220-0011⟧:42人、⟦231-0023⟧:17人、⟦2400113⟧:3人",
        "〒ごとの件数:⟦150-0001⟧ 3件、⟦1500002⟧ 5件、⟦1500003⟧ 8件",
        "郵便番号の一覧 ⟦060-0001⟧(5)、⟦0600002⟧(4)",
        "zip codes: ⟦1060032⟧, ⟦1070052⟧, ⟦107-0061⟧",
        "配達地域の郵便番号: ⟦810-0001⟧: 12件\n⟦8100002⟧: 4件\n⟦810-0003⟧: 9件",
        "the zip is ⟦700-0999⟧",
        "氏名,郵便番号\na,⟦9860000⟧",
        '{"postal":"⟦928-0001⟧","line1":"x"}',
        '"postalCode":"⟦9280001⟧"',
        'lookup_zip {"code":"⟦761-0100⟧"}',
        "⟦〒151-0064⟧だけで。⟦1510064⟧と入れても",
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
        "郵便番号は7桁。会員1234567人",
        "型番 1234567 → 東京都",
        "郵便番号7桁化は1998年。注文1234567",
        "zip: 0000000",
        "「〒123-4567」のような見本",
        '{"code":"761-0100"}',
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
