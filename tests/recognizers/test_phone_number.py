"""Telephone numbers. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.phone_number import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "⟦090-1234-5678⟧",
        "携帯⟦０９０１２３４５６７８⟧まで",
        "⟦(03) 0001-0002⟧",
        "⟦0120-000-000⟧(9:00〜18:00)",
        "⟦+81-80-0555-1902⟧",
        "⟦+81 (0)90-0777-0001⟧",
        "TEL⟦0776-00-0101⟧",
        "⟦０９０ー１２３４ー５６７８⟧",
        "⟦0 9 0 - 0 7 7 1 - 4 4 2 8⟧",
        "⟦ゼロキュウゼロ、イチニサンヨン、ゴーロクナナハチ⟧です",
        "内線 ⟦4021⟧",
        "ext. ⟦318⟧",
        "Tel.⟦O3-OOO1-4I92⟧",
        "⟦+44 20 7946 0018⟧",
        "電話 ⟦0983-00-1234⟧",
        "⟦81-3-0000-0000⟧ に電話",
        "phone: ⟦1-800-555-0199⟧",
        "内⟦2210⟧",
        "⟦080/0001/2345⟧",
        "⟦080...0001...2345⟧",
        "番号は⟦〇八〇、〇〇〇一、二三四五⟧",
        "電話は⟦045ハイフン620ハイフン3397⟧です",
        "TEL ⟦0|4|5|0|2|9|3|9|4|4⟧",
        "電話番号を教えてください。\n客:⟦0451234567⟧です",
        "電話番号:⟦12345678⟧",
        "My number is ⟦080-0333-7788⟧. Thanks, Mia",
        "Fukuoka 810-0051. My number: ⟦070-0222-3344⟧",
        "She lost her licence, call ⟦090-0777-1122⟧",
        "passport lost, reach me at ⟦050-0123-4567⟧",
        "her number is ⟦080 0444 5566⟧ now",
        "Intl: ⟦+81-(0)3-0000-1234⟧",
        "海外 ⟦+81-(0)90-0000-1234⟧、国内 ⟦090-0000-1234⟧",
        "⟦+81(0)6-0000-4321⟧",
        "bridge ⟦+1 202 555 0147⟧ (PIN 7781)",
        "⟦(+81) 3-0000-1234⟧",
        "⟦+81 (0) 75 000 1234⟧",
        "内線は⟦#7-2231⟧です",
        "ソフトフォンの内線番号⟦*82-4410⟧",
        "内線：⟦81-5520⟧",
        "内線⟦＃4501⟧へ",
        "ext ⟦#2041⟧",
        "Tel/Fax ⟦0798-00-1234⟧/⟦0798-00-1235⟧",
        "US: ⟦(415) 555-0132⟧",
        "問い合わせは葵まで ⟦090-0102-0304⟧",
        "回線 ⟦080・0102・0304⟧/⟦080・0102・0305⟧",
        "his cell is ⟦oh nine oh oh one oh two oh three oh four⟧ and",
        "問い合わせは広聴課⟦0299-00-1173⟧",
        "お電話番号が ⟦ゼロキューゼロのゼロヨンイチイチの七七二八⟧です",
        "⟦ぜろきゅうぜろの、0102の0304⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "注文番号 090-1234-5678",
        "OSK-07-2501-0003",
        "4890-2217-3350",
        "2025-11-03",
        "192.168.0.1",
        "103-0001-00022",
        "内線は3名",
        "issue #81-6611",
        "チケット #4501",
        "My number is 12 digits",
        "注文番号 (415) 555-0132-9",
        "資料番号は0112-87-4410で",
        "delivered 02/11/2023.",
        "管理番号 090-0102-0304",
        "| 品番 | 単価 |\n|---|---|\n| 080-1123-0044 | 480 |",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
