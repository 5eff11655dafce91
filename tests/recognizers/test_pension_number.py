"""基礎年金番号. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.pension_number import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "基礎年金番号 ⟦1234-567890⟧",
        "年金番号:⟦１２３４－５６７８９０⟧",
        "年金手帳の番号は⟦1234 567890⟧",
        "遺族年金の件、夫の番号 ⟦1405 889900⟧",
        "基礎年金番号「⟦2233445566⟧」",
        "年金番号\t氏名\n⟦2233445566⟧\t甲",
        "年金証書 ⟦2233-445566-1150⟧",
        "2) ⟦2233-445566⟧",
        "日出 葵 ⟦2233-445566⟧ 昭和60年4月17日生",
        "nenkin_no: ⟦2233-445566⟧",
        "厚生年金の資格喪失届\n日出 葵\n⟦2233-445566⟧",
        "古い年金手帳。記号番号欄「⟦5302-770084⟧」",
        "VALUES (88103, 'Hinode Aoi', '⟦1208-440917⟧', NULL)",
        "配偶者日出あおい ⟦7714-220918⟧ 昭61.4.9",
        "ねんきん定期便の照会には⟦5512-009183⟧",
        "基礎年金番号で届出:⟦3345908812⟧",
        "ねんきんネットのIDじゃなくて、10桁の⟦3345-908812⟧のほう",
        "基礎年金番号は⟦四一〇二、ハイフン、三三八七一六⟧です",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "1234-567890",
        "商品コード 2233445577",
        "電話 0223340000",
        "雇用保険被保険者番号 1301-234567-8",
        "2) 2024-445566",
        "3) 0120-445566",
        "注文番号 2233-445566",
        "日出 葵 2233-445566-1150",
        "1) 2233-445566-A",
        "品番 7714-220918 昭和堂",
        "年金番号の届出。件数 3345908812",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []


def test_a_number_read_out_in_two_halves_is_found_twice() -> None:
    assert found(FINDER, "年金番号は4桁が六七〇一、の後ろが二三四五六七です") == ["六七〇一", "二三四五六七"]
