"""POSTAL_CODE: seven digits, 3-4, where they stand apart from an address; a label or 〒 decides.

Source: 日本郵便 郵便番号データ (format). Codes inside an address belong to ADDRESS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.numbers import Number, of_lengths

ENTITY = "POSTAL_CODE"
_PLACE_AFTER = re.compile(r" ?[(]? ?[一-龠ぁ-んヶケ]{1,6}[都道府県市区町村郡]")


class PostalCodeFinder:
    """Finds postal codes that stand alone."""

    entities = frozenset({ENTITY})
    name = "postal_code"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for number in of_lengths(text, 7):
            if number.groups in ((3, 4), (7,)) or max(number.groups) == 1:
                yield text.finding(number.start, number.end, ENTITY, _score(text, number), self.name)


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    if text.folded[max(0, number.start - 2) : number.start].strip().endswith("〒"):
        return 0.98
    shaped = number.groups == (3, 4)
    if shaped and _PLACE_AFTER.match(text.folded, number.end):
        return 0.75
    if field.kind == ENTITY:
        return 0.95 if shaped or field.strength >= 0.9 else 0.7
    if not shaped or (field.kind not in ("", "NAME", "ADDRESS", "NUMBER") and field.strength >= 0.9):
        return 0.3
    return 0.7 if ENTITY in topics_of(text, number.start, number.end) else 0.3


def load() -> PostalCodeFinder:
    """The finder."""
    return PostalCodeFinder()
