"""The name lists: what is in them after loading, and what a broken file says."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from recognizers.names import NameLists, read_gazetteer, read_lists, read_sections, to_hiragana

NAMES = NameLists.load()


def test_common_names_rank_before_rare_ones() -> None:
    assert NAMES.family["佐藤"] < NAMES.family["鷲尾"]


def test_given_names_of_both_kinds_are_known() -> None:
    assert {"美咲", "健太"} <= NAMES.given
    assert {"みさき", "けんた"} <= NAMES.given_kana


def test_names_the_counted_list_lacks_come_from_the_dictionary() -> None:
    assert "栂野" in NAMES.rare
    assert not NAMES.rare & NAMES.family.keys()


def test_romaji_has_the_spellings_people_use() -> None:
    assert {"sato", "satou", "ohno", "ono"} <= NAMES.family_romaji


def test_katakana_folds_to_hiragana_without_changing_length() -> None:
    assert to_hiragana("ヴァイオリンｱa漢") == "ゔぁいおりんｱa漢"


def test_a_file_without_a_section_names_the_section(tmp_path: Path) -> None:
    path = tmp_path / "names.txt.gz"
    path.write_bytes(gzip.compress("@sei\n佐藤\t0\tさとう\n@mei\nあい\t愛\n".encode()))
    with pytest.raises(ValueError, match=r"\['rare'\] missing"):
        read_sections(path)


def test_lists_are_split_at_spaces_or_kept_by_line(tmp_path: Path) -> None:
    path = tmp_path / "lists.txt"
    path.write_text("# note\n@a\nx y\nz\n@b lines\nx y\n", encoding="utf-8")
    assert read_lists(path) == {"a": ["x", "y", "z"], "b": ["x y"]}


def test_places_and_words_are_known() -> None:
    assert {"ikebukuro", "umeda"} <= NAMES.towns_romaji
    assert "estimate" in NAMES.english
    assert "robert" not in NAMES.english


def test_municipalities_are_called_without_county_and_ending(tmp_path: Path) -> None:
    path = tmp_path / "places.txt.gz"
    path.write_bytes(
        gzip.compress(
            "P\t甲県\tコウ\nC\t上山郡下川町\tカ\nC\t大川市北区\tオ\nC\t津市\tツ\nC\t市川市\tイ\nT\t本町\t栄\n".encode()
        )
    )
    assert read_gazetteer(path) == (frozenset({"下川", "大川", "市川"}), frozenset({"本町", "栄"}))
