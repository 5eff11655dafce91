"""More documents from documents: spans follow the text."""

from __future__ import annotations

import random

import sudachipy

from recognizers.training.augment import (
    joined,
    letterspaced,
    lowercased,
    mostly_japanese,
    readdressed,
    renamed,
    transcript,
    unmarked,
)
from recognizers.training.people import Population
from recognizers.training.widen import Document

DOCUMENT = Document("昨日、田中太郎と会った。John Smithも来た。", ((3, 7), (12, 22)))


def names(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.spans]


def test_the_fixture_marks_two_names() -> None:
    assert names(DOCUMENT) == ["田中太郎", "John Smith"]


def test_renaming_keeps_everything_but_the_names() -> None:
    chance = random.Random(1)
    other = renamed(DOCUMENT, Population(chance), chance)
    first, second = names(other)
    assert other.text == f"昨日、{first}と会った。{second}も来た。"
    assert (first, second) != ("田中太郎", "John Smith")


def test_joined_documents_keep_all_their_names() -> None:
    found = [name for document in joined([DOCUMENT] * 10, random.Random(2)) for name in names(document)]
    assert found == names(DOCUMENT) * 10


def test_letter_spacing_spreads_the_names_too() -> None:
    spaced = letterspaced(DOCUMENT, random.Random(3))
    assert names(spaced)[0].replace(" ", "").replace("\u3000", "") == "田中太郎"
    assert names(spaced)[0] != "田中太郎"


def test_a_transcript_has_spaces_between_morphemes() -> None:
    tokenizer = sudachipy.Dictionary().create(sudachipy.SplitMode.A)
    assert names(transcript(DOCUMENT, tokenizer, random.Random(4)))[0] == "田中 太郎"


def test_japanese_is_told_from_english() -> None:
    assert mostly_japanese("今日は晴れです")
    assert not mostly_japanese("It is sunny 今日")


HONOURED = Document("窓口は田中様と林さん、鈴木部長です。", ((3, 5), (7, 8), (11, 13)))


def test_other_honorifics_leave_the_names_as_they_are() -> None:
    texts = {readdressed(HONOURED, random.Random(seed)).text for seed in range(40)}
    assert len(texts) > 4
    for seed in range(40):
        other = readdressed(HONOURED, random.Random(seed))
        assert names(other) == names(HONOURED)
        assert other.text.startswith("窓口は田中")
        assert other.text.endswith("、鈴木部長です。")


def test_a_name_of_one_character_keeps_its_honorific() -> None:
    assert all("林さん" in readdressed(HONOURED, random.Random(seed)).text for seed in range(40))


def test_marks_go_but_not_those_inside_names() -> None:
    document = Document("はい、マリア・ロペスです。「了解」。", ((3, 10),))
    other = unmarked(document, random.Random(5))
    assert names(other) == ["マリア・ロペス"]
    assert len(other.text) < len(document.text)


def test_small_letters_change_no_place() -> None:
    document = Document("Ask İrem Kaya", ((4, 13),))
    assert names(lowercased(document)) == ["İrem kaya"]


OTHERS = Document("森ビルで森さんと林製菓へ", ((4, 5),), ((0, 3), (8, 11)), whole=True, doubtful=((11, 12),))


def test_other_ranges_move_with_the_names_before_them() -> None:
    chance = random.Random(1)
    population = Population(chance)
    for other in (renamed(OTHERS, population, chance) for _ in range(20)):
        assert [other.text[a:b] for a, b in other.others] == ["森ビル", "林製菓"]
        assert [other.text[a:b] for a, b in other.doubtful] == ["へ"]
        assert other.whole


def test_joined_documents_keep_the_other_ranges() -> None:
    found = [d.text[a:b] for d in joined([OTHERS] * 6, random.Random(2)) for a, b in d.others]
    assert found == ["森ビル", "林製菓"] * 6
