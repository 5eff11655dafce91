"""PENSION_NUMBER: 基礎年金番号, four and six digits; no check digit is known, so a label or the topic decides.

Source: 日本年金機構 基礎年金番号通知書 (format 4-6).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.numbers import Number, numbers, of_lengths

ENTITY = "PENSION_NUMBER"
_SPLIT_REACH = 10


class PensionNumberFinder:
    """Finds 基礎年金番号."""

    entities = frozenset({ENTITY})
    name = "pension_number"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for number in of_lengths(text, 10):
            yield text.finding(number.start, number.end, ENTITY, _score(text, number), self.name)
        for number in _halves(text):
            yield text.finding(number.start, number.end, ENTITY, 0.8, self.name)


def _score(text: FoldedText, number: Number) -> float:
    shaped = number.groups == (4, 6)
    field = field_of(text, number.start, number.end)
    if field.kind == ENTITY:
        return 0.97 if shaped or field.strength >= 0.8 else 0.7
    if not shaped or (field.kind not in ("", "NAME", "NUMBER", "DATE_OF_BIRTH") and field.strength >= 0.9):
        return 0.3
    return 0.85 if ENTITY in topics_of(text, number.start, number.end) else 0.4


def _halves(text: FoldedText) -> Iterator[Number]:
    """Four digits and six read out apart (`4桁が六七〇一、の後ろが二三四五六七`), under a pension label."""
    for left, right in pairwise(text.view(numbers)):
        shaped = len(left.digits) == 4 and len(right.digits) == 6 and right.start - left.end <= _SPLIT_REACH
        if shaped and field_of(text, left.start, left.end).kind == ENTITY:
            yield left
            yield right


def load() -> PensionNumberFinder:
    """The finder."""
    return PensionNumberFinder()
