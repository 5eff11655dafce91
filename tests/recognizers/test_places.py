"""The gazetteer."""

from __future__ import annotations

import pytest

from recognizers.folded import FoldedText
from recognizers.places import places, town_key


def names(text: str) -> list[str]:
    folded = FoldedText(text)
    return [folded.modern[place.start : place.end] for place in places().municipalities(folded)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("札幌市中央区にある", ["札幌市中央区"]),
        ("名古屋市の", ["名古屋市"]),
        ("豊平区平岸", ["豊平区"]),
        ("小豆郡小豆島町安田", ["小豆郡小豆島町"]),
        ("岬町ふけ", ["岬町"]),
        ("龍ヶ崎市と龍ケ崎市", ["竜ケ崎市", "竜ケ崎市"]),
        ("廣島市", ["広島市"]),
        ("市場と町村と区役所", []),
    ],
)
def test_municipalities_are_found_in_every_spelling(text: str, found: list[str]) -> None:
    assert names(text) == found


def test_a_ward_or_town_without_its_city_is_not_whole() -> None:
    (ward,) = places().municipalities(FoldedText("豊平区"))
    (city,) = places().municipalities(FoldedText("札幌市豊平区"))
    assert (ward.whole, city.whole) == (False, True)


def test_towns_are_known_whatever_their_small_letters() -> None:
    assert places().longest_town("緑が丘二丁目") == places().longest_town("緑ヶ丘二丁目") == 3
    assert places().town_before("うちは緑が丘") == 3
    assert places().longest_town("一丁目") == 0


def test_a_key_keeps_the_length() -> None:
    assert len(town_key("一之ヶ丘っ")) == 5


def test_all_prefectures_are_there() -> None:
    assert len(places().prefectures) == len(places().kana_prefectures) == 47
    assert {"北海道", "東京都", "沖縄県"} <= set(places().prefectures)


@pytest.mark.parametrize(("name", "known"), [("練馬", True), ("京田辺", True), ("大根", False), ("練馬区", False)])
def test_a_city_or_ward_is_known_without_its_sign(name: str, known: bool) -> None:
    assert places().is_city(name) is known
