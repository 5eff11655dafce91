"""The network: shapes, bounds of its sight, and errors of the model file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sudachipy

from recognizers.names import NameLists
from recognizers.person_features import Fact
from recognizers.person_network import COLUMNS, MODEL, Network, affix, columns_of, shape_of
from recognizers.person_tagger import Tagger

NETWORK = Network.load()
NETWORK.layers.gate = None
TAGGER = Tagger(sudachipy.Dictionary(), NameLists.load(), NETWORK)


def test_nothing_beyond_the_sentence_changes_what_stands_in_it() -> None:
    rows, alone = TAGGER.tag("佐藤が来ました。")
    longer_rows, longer = TAGGER.tag("佐藤が来ました。高橋さんと鈴木さんは帰りました。")
    count = len(rows.tokens)
    assert longer_rows.tokens[:count].tolist() == rows.tokens.tolist()
    assert np.allclose(longer.scores[:count], alone.scores, atol=1e-5)


def test_what_lies_beyond_the_left_context_changes_nothing() -> None:
    tail = "その後" * NETWORK.left_context + "佐藤が来た。"
    _, short = TAGGER.tag(tail)
    _, long = TAGGER.tag("高橋さん" + tail)
    assert np.allclose(short.scores[-3:], long.scores[-3:], atol=1e-5)


def test_the_sight_to_the_right_is_short() -> None:
    assert NETWORK.right_context <= 5


def test_the_model_file_is_small() -> None:
    assert MODEL.stat().st_size <= 15_000_000


def test_a_missing_model_file_is_an_error_naming_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"person\.npz"):
        Network.load(tmp_path / "person.npz")


def test_shapes_say_the_kinds_of_characters() -> None:
    assert [shape_of(word) for word in ("渡辺", "Sato", "SATO2", "ア漢", "𠮷")] == [
        "漢",
        "Aa",
        "A0",
        "ア漢",
        "漢",
    ]


def test_affix_buckets_never_take_the_row_for_none() -> None:
    assert min(affix(str(number)) for number in range(5000)) >= 1


def test_inflected_words_share_the_meaning_of_their_word() -> None:
    meanings = [
        columns_of(Fact(surface, "動詞-一般", (), "走る"), NETWORK.vocabulary)[COLUMNS.index("vec")]
        for surface in ("走っ", "走り")
    ]
    assert meanings[0] == meanings[1] > 0


def test_a_word_without_a_known_meaning_takes_no_row() -> None:
    assert columns_of(Fact("嘘田木山", "名詞", (), "嘘田木山"), NETWORK.vocabulary)[COLUMNS.index("vec")] == 0


@pytest.mark.parametrize("char", ["山", "龘", "あ", "ア", "A", "z", "7", "。", "İ", "𠮷", "힣", "\x00"])
def test_one_character_takes_the_rows_that_a_word_of_it_alone_would(char: str) -> None:
    known = NETWORK.vocabulary
    found = dict(zip(COLUMNS, columns_of(Fact(char, "名詞-普通名詞-一般", (), char), known), strict=True))
    assert found["word"] == known.words.get(char.lower(), 1)
    assert found["shape"] == known.shapes.get(shape_of(char), 1)
    assert found["len"] == 2
    assert found["c0"] == found["d0"] == known.chars.get(char, 1)
    assert found["vec"] == known.meanings.find(char, char.lower())
    assert not any(found[column] for column in ("c1", "c2", "d1", "pre", "suf"))


def test_characters_of_which_nothing_is_known_have_one_vector() -> None:
    one, other = NETWORK.parts(Fact(char, "名詞-普通名詞-一般", (), char) for char in "龘齉")
    assert one == other
