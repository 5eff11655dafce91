"""The one interface every recognizer has.

A finder is pure: it takes a `FoldedText`, does no I/O, keeps no state between calls and may be called from several
threads at once. Its time must be linear in the text and its patterns bounded (no nested unbounded quantifiers), its
findings may overlap each other and those of other finders; `Detector` resolves that. Heavy things (dictionaries,
models) are loaded when the finder is made, not in `find`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from recognizers.finding import Finding
from recognizers.folded import FoldedText


class Finder(Protocol):
    """Finds entities of one kind (or of a few near kinds) in a text."""

    @property
    def entities(self) -> frozenset[str]:
        """Entity types that `find` can answer with."""

    @property
    def name(self) -> str:
        """Stable name, written into every `Finding` and into audit records."""

    def find(self, text: FoldedText) -> Iterable[Finding]:
        """All candidate findings, in offsets of the original text, in any order."""
