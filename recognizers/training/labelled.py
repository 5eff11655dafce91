"""Whole labelled documents, written for training: `documents/*.jsonl`.

A line is `{"id", "domain", "text", "spans": [[start, end], …], "others": […], "ignore": […]}`, offsets in code points: names of
people, what is no such name (other personal data, look-alikes), what may be taken for either. All people are invented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from recognizers.training.widen import Document

DOCUMENTS = Path(__file__).with_name("documents")


def labelled(folder: Path = DOCUMENTS) -> Iterator[Document]:
    """All documents. Raises KeyError or ValueError for a line that is none."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            spans, others, ignore = (tuple((a, b) for a, b in entry[key]) for key in ("spans", "others", "ignore"))
            yield Document(entry["text"], spans, others, whole=True, doubtful=ignore)
