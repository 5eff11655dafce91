"""Which towns get a spelling."""

from __future__ import annotations

from recognizers.names.build_towns import towns


def record(prefecture: str, city: str, kana: str) -> dict[str, str]:
    return {"prefecture": prefecture, "city": city, "neighborhood_kana": kana}


def test_towns_of_the_great_cities_are_kept_and_others_when_several_places_are_called_so() -> None:
    records = [
        record("東京都", "豊島区", "イケブクロ"),
        record("東京都", "豊島区", "ヒガシイケブクロホンチョウ"),
        record("青森県", "黒石市", "ﾄﾋﾅｲ"),
        record("秋田県", "大館市", "ﾄﾋﾅｲ"),
        record("青森県", "黒石市", "ｻｶｴﾏﾁ"),
    ]
    assert towns(records) == ["ikebukuro", "tohinai"]


def test_notes_and_short_names_and_very_long_ones_are_left_out() -> None:
    records = [record("大阪府", "大阪市北区", kana) for kana in ("ウメダ（ツギノビルヲノゾク）", "ソネ", "", "オオエ")]
    assert towns(records) == ["umeda"]
