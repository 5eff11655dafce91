"""Rows: what the tagger sees."""

from __future__ import annotations

import sudachipy
from hypothesis import given
from hypothesis import strategies as st

from recognizers.names import NameLists
from recognizers.person_features import PAIR_FAMILY, Featurizer, flags_of, is_kanji

NAMES = NameLists.load()
FEATURIZER = Featurizer(sudachipy.Dictionary(), NAMES)


def surfaces(text: str) -> list[str]:
    rows = FEATURIZER.rows(text)
    return [FEATURIZER.facts[number].surface for number in rows.tokens.tolist()]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_rows_lie_in_the_text_in_order_and_cover_all_but_spaces(text: str) -> None:
    rows = FEATURIZER.rows(text)
    covered = [text[a:b] for a, b in zip(rows.starts, rows.ends, strict=True)]
    assert "".join(covered).replace(" ", "") == text.replace(" ", "")


def test_spaces_are_counted_before_the_row_that_follows() -> None:
    rows = FEATURIZER.rows("佐藤 美咲  様")
    assert surfaces("佐藤 美咲  様") == ["佐藤", "美咲", "様"]
    assert rows.spaces.tolist() == [0, 1, 2]


def test_a_new_sentence_begins_after_its_mark() -> None:
    rows = FEATURIZER.rows("はい。林\n森")
    assert rows.sentence.tolist() == [0, 0, 1, 1, 2]


def test_two_halves_of_a_family_name_are_a_pair() -> None:
    rows = FEATURIZER.rows("大神田")
    assert len(rows.tokens) == 1 or PAIR_FAMILY & int(rows.pairs[0])


def test_an_empty_text_has_no_rows() -> None:
    assert FEATURIZER.rows("").tokens.tolist() == []


def test_the_same_morpheme_is_learnt_once() -> None:
    FEATURIZER.rows("林林林")
    before = len(FEATURIZER.facts)
    FEATURIZER.rows("林林林")
    assert len(FEATURIZER.facts) == before


def test_flags_tell_common_from_rare_family_names() -> None:
    assert 0 in flags_of("佐藤", NAMES)
    assert 3 in flags_of("栂野", NAMES)
    assert flags_of("Sato", NAMES) != flags_of("SATO", NAMES)


def test_kanji_include_repetition_and_supplementary_planes() -> None:
    assert is_kanji("佐々木")
    assert is_kanji("𠮷田")
    assert not is_kanji("さとう")


def test_a_word_no_list_knows_is_plain_unless_an_honorific_follows() -> None:
    words = surfaces("Zorbaxが佐藤とZorbaxさん")
    rows = FEATURIZER.rows("Zorbaxが佐藤とZorbaxさん")
    assert [word for place, word in enumerate(words) if FEATURIZER.plain(rows, place)] == ["Zorbax", "が", "と"]


def test_a_morpheme_that_is_new_twice_in_a_text_is_learnt_once() -> None:
    featurizer = Featurizer(sudachipy.Dictionary(), NameLists.load())
    rows = featurizer.rows("鶴亀商店 と鶴亀商店")
    surfaces = [featurizer.facts[number].surface for number in rows.tokens]
    assert surfaces.count("鶴亀") == surfaces.count("商店") == 2
    assert len(featurizer.facts) == len(set(featurizer.keys())) == len(set(surfaces))
    assert "".join(surfaces) == "鶴亀商店と鶴亀商店"
    assert rows.ends == [start + len(surface) for start, surface in zip(rows.starts, surfaces, strict=True)]
    assert rows.spaces.tolist()[surfaces.index("と")] == 1


def test_brands_and_places_are_flagged_and_are_no_evidence_of_a_name() -> None:
    assert 17 in flags_of("グッチ", NAMES)
    assert 18 in flags_of("Kawagoe", NAMES)
    assert FEATURIZER.plain(FEATURIZER.rows("プリウス"), 0)


def test_an_inflected_word_has_the_normal_form_of_its_word() -> None:
    rows = FEATURIZER.rows("走った")
    assert FEATURIZER.facts[int(rows.tokens[0])].normal == "走る"


def test_a_word_the_dictionary_lacks_is_its_own_normal_form() -> None:
    rows = FEATURIZER.rows("Zorbax")
    assert FEATURIZER.facts[int(rows.tokens[0])].normal == "Zorbax"


def test_long_numbers_are_one_morpheme_whatever_their_digits_but_for_zeros() -> None:
    rows = FEATURIZER.rows("予算は4,981円、残りは3,776円")
    prices = [number for number in rows.tokens.tolist() if FEATURIZER.facts[number].surface == "5,555"]
    assert len(prices) == 2
    assert len(set(prices)) == 1
    assert "5,000" in surfaces("会費は3,000円")
    assert "55" not in surfaces("参加者は27名")
    known = len(FEATURIZER.facts)
    FEATURIZER.rows("予算は7,813円、残りは1,266円")
    assert len(FEATURIZER.facts) == known
