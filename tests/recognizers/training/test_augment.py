"""More documents from documents: spans follow the text."""

from __future__ import annotations

import random

import sudachipy

from recognizers.training.augment import joined, letterspaced, mostly_japanese, renamed, transcript
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
