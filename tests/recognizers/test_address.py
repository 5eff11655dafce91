"""Japanese addresses. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.address import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "⟦東京都千代田区神田錦町三丁目二十二番地⟧",
        "⟦〒812-0011 福岡県福岡市博多区博多駅前3-5-18 北条第二ビル7F⟧",
        "⟦札幌市北区北24条西2丁目1-1-705⟧",
        "⟦帯広市西十八条南五丁目十六ー三⟧",
        "⟦京都市中京区寺町通御池下る下本能寺前町500番地⟧",
        "⟦青森県弘前市大字土手町字川端2-45⟧",
        "住所 ⟦八王子市明神町４ノ９ノ１⟧です",
        "⟦豊平区平岸4条6丁目2-6⟧の自宅",
        "うちは⟦緑が丘2-6-5⟧です",
        "⟦埼 玉 県 羽 生 市 中 央 6 丁 目 2 番 7 号⟧",
        "⟦〒990-0000\n山形市七日町五丁目五番一号⟧",
        "⟦広島県福山市曙町3-12-5 メゾン曙 201号室⟧",
        "⟦相模原市の、緑区、橋本のゼロの十二の五⟧",
        "ADR:;;⟦旭町2-3-2;日田市;大分県;877-0000;日本⟧",
        "⟦岩手県九戸郡洋野町種市23地割27番地⟧",
        "⟦廣島市安佐南区緑井1丁目2番3号⟧",
        "⟦豊田市杉本町74番地 502号室⟧",
        "⟦佐世保市小佐々町1番2 Villa Sakura 201⟧",
        "⟦京都市北区大宮北林町39番16 名古屋ビルディング 8F⟧",
        "id,住所,電話\n1,⟦国頭郡国頭村中渋見34番21⟧,03-0000-1111",
        "住所2(番地): ⟦533-7⟧",
        "⟦東京都\u200b千代田区神田錦町3-22⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "横浜市の人口は377万人",
        "葛飾区全域は12月から",
        "千葉市中央区に県庁がある",
        "国道246号",
        "一丁目一番地の政策課題",
        "北九州市で3-1の勝利",
        "新宿区役所3階",
        "三木市の金物まつり2025",
        "民法第709条",
        "港区2025-11-03",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
