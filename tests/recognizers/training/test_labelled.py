"""The documents written for training: their ranges lie where they say, and none stands there twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from recognizers.training.labelled import DOCUMENTS, labelled


def test_names_lie_in_the_text_and_in_no_other_name() -> None:
    for document in labelled():
        end = 0
        for start, stop in document.spans:
            assert end <= start < stop <= len(document.text)
            end = stop


def test_other_ranges_lie_in_the_text() -> None:
    for document in labelled():
        assert all(0 <= a < b <= len(document.text) for a, b in (*document.others, *document.doubtful))


def test_no_document_stands_there_twice() -> None:
    counts = Counter(document.text for document in labelled())
    assert [text for text, count in counts.items() if count > 1] == []


def test_every_identifier_is_one_of_its_own() -> None:
    ids = [json.loads(line)["id"] for file in DOCUMENTS.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(ids) == len(set(ids)) > 1_000


def test_all_ranges_of_a_line_are_read(tmp_path: Path) -> None:
    line = {
        "id": "a-001",
        "domain": "a",
        "text": "森と森ビル、林?",
        "spans": [[0, 1]],
        "others": [[2, 5]],
        "ignore": [[6, 7]],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    (document,) = labelled(tmp_path)
    assert (document.spans, document.others, document.doubtful) == (((0, 1),), ((2, 5),), ((6, 7),))
    assert document.whole
