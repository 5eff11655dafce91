"""Readers of the corpora, on small files in their formats."""

from __future__ import annotations

import json
from pathlib import Path

from recognizers.training.corpora import TEST_SENTENCES, english, gsd, wikipedia, wikipedia_annotated
from recognizers.training.widen import Document


def named(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.spans]


def things(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.others]


def test_wikipedia_keeps_test_sentences_apart(tmp_path: Path) -> None:
    path = tmp_path / "ner.json"
    entry = {"entities": [{"span": [0, 2], "type": "人名"}, {"span": [3, 5], "type": "地名"}]}
    path.write_text(
        json.dumps([{"text": f"佐藤と東京{n}", **entry} for n in range(TEST_SENTENCES + 3)]), encoding="utf-8"
    )
    train, test = wikipedia(path)
    assert (len(train), len(test)) == (3, TEST_SENTENCES)
    assert (named(train[0]), things(train[0])) == (["佐藤"], ["東京"])
    assert not {document.text for document in train} & {document.text for document in test}


def test_gsd_joins_words_without_spaces_but_between_latin_ones(tmp_path: Path) -> None:
    path = tmp_path / "train.bio"
    path.write_text("John\tB-PERSON\nSmith\tI-PERSON\nは\tO\n\n終わり\tO\n", encoding="utf-8")
    first, second = gsd(path)
    assert (first.text, named(first), second.text) == ("John Smithは", ["John Smith"], "終わり")


def test_gsd_knows_things_and_leaves_out_what_names_nothing(tmp_path: Path) -> None:
    path = tmp_path / "train.bio"
    path.write_text("昨日\tB-DATE\n東京\tB-GPE\nへ\tO\n", encoding="utf-8")
    assert [things(document) for document in gsd(path)] == [["東京"]]


def test_knp_things_are_told_from_people(tmp_path: Path) -> None:
    folder = tmp_path / "knp" / "a"
    folder.mkdir(parents=True)
    text = "# S-ID:1\n* -1D\n+ -1D\n太郎 たろう <NE:PERSON:single>\nと と\n森 もり <NE:ORGANIZATION:single>\nEOS\n"
    (folder / "a.knp").write_text(text, encoding="utf-8")
    (document,) = wikipedia_annotated(tmp_path)
    assert (named(document), things(document)) == (["太郎"], ["森"])


def test_knp_sentences_with_a_doubtful_entity_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "knp" / "a"
    folder.mkdir(parents=True)
    sure = "# S-ID:1\n* -1D\n+ -1D\n太郎 たろう <NE:PERSON:single>\nです です\nEOS\n"
    doubtful = "# S-ID:2\n森 もり <NE:OPTIONAL:single>\nEOS\n"
    (folder / "a.knp").write_text(sure + doubtful + sure, encoding="utf-8")
    documents = wikipedia_annotated(tmp_path)
    assert [(document.text, named(document)) for document in documents] == [("太郎です", ["太郎"])] * 2


def test_english_columns_become_spaced_text(tmp_path: Path) -> None:
    for name in ("ewt", "wnut"):
        (tmp_path / name).mkdir()
    rows = "# newdoc id = a\n# text = x\n1\tMr.\tO\n2\tLee\tB-PER\n3\t,\tO\n4\tRome\tB-LOC\n\n"
    for name in ("en_ewt-ud-dev.iob2", "en_ewt-ud-test.iob2"):
        (tmp_path / "ewt" / name).write_text(rows, encoding="utf-8")
    for name in ("emerging.dev.conll", "emerging.test.annotated"):
        (tmp_path / "wnut" / name).write_text("Ann\tB-person\nran\tO\n\n", encoding="utf-8")
    documents = english(tmp_path)
    assert [document.text for document in documents] == ["Mr. Lee, Rome"] * 2 + ["Ann ran"] * 2
    assert [things(document) for document in documents] == [["Rome"]] * 2 + [[]] * 2
    assert [named(document) for document in documents] == [["Lee"]] * 2 + [["Ann"]] * 2
