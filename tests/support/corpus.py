"""The labelled documents of `tests/recognizers/corpus`: our own, written for these tests; every person is invented.

Format: `=== domain` starts a document; `⟦X|text⟧` marks personal data of kind X (`KINDS`), `⟦?|text⟧` what may be masked or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "recognizers" / "corpus"
KINDS = {
    "P": "PERSON", "A": "ADDRESS", "T": "PHONE_NUMBER", "E": "EMAIL_ADDRESS", "D": "DATE_OF_BIRTH", "B": "BANK_ACCOUNT",
    "M": "MY_NUMBER", "L": "DRIVERS_LICENSE", "C": "CREDIT_CARD", "Z": "POSTAL_CODE", "S": "PASSPORT", "R": "RESIDENCE_CARD",
    "N": "PENSION_NUMBER", "H": "HEALTH_INSURANCE", "?": "",
}  # fmt: skip
_MARK = re.compile("⟦(.)\\|(.*?)⟧", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mark:
    """A labelled stretch, code points of the document's text; `entity` is '' where masking is optional."""

    start: int
    end: int
    entity: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document and its labels."""

    id: str
    domain: str
    text: str
    marks: tuple[Mark, ...]


@cache
def documents() -> tuple[Document, ...]:
    """All documents, in file order."""
    blocks = [block for path in sorted(FOLDER.glob("*.txt")) for block in path.read_text().split("=== ")[1:]]
    return tuple(_document(index, block) for index, block in enumerate(blocks))


def _document(index: int, block: str) -> Document:
    domain, _, body = block.partition("\n")
    pieces: list[str] = []
    marks = tuple(_marks(body.rstrip("\n"), pieces))
    return Document(f"own-{index:03}", domain, "".join(pieces), marks)


def _marks(body: str, pieces: list[str]) -> Iterator[Mark]:
    last = length = 0
    for mark in _MARK.finditer(body):
        pieces += [body[last : mark.start()], mark[2]]
        start = length + mark.start() - last
        length, last = start + len(mark[2]), mark.end()
        yield Mark(start, length, KINDS[mark[1]])
    pieces.append(body[last:])
