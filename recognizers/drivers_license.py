"""DRIVERS_LICENSE: 運転免許証番号, twelve digits: commission (2), year (2), serial (6), check digit, reissues (1).

Without a label the check digit and the commission code (about half of all two-digit values) together still let one
random number in twenty pass, so a label of something else refuses it.
Source: commission codes and weights as described by licensing guides; no official text is public.
"""

from __future__ import annotations

from collections.abc import Iterator

from recognizers import checksums
from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.numbers import Number, of_lengths

ENTITY = "DRIVERS_LICENSE"
_COMMISSIONS = frozenset(
    str(code)
    for first, last in ((10, 14), (20, 24), (30, 30), (40, 55), (60, 65), (70, 74), (80, 83), (90, 97))
    for code in range(first, last + 1)
)


class DriversLicenseFinder:
    """Finds licence numbers."""

    entities = frozenset({ENTITY})
    name = "drivers_license"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for number in of_lengths(text, 12):
            if checksums.drivers_license(number.digits):
                yield text.finding(number.start, number.end, ENTITY, _score(text, number), self.name)


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    if field.kind == ENTITY:
        return 0.99
    if number.digits[:2] not in _COMMISSIONS or "、" in number.joins:
        return 0.3
    if ENTITY in topics_of(text, number.start, number.end):
        return 0.6 if field.kind == "OTHER" and field.strength == 1.0 else 0.9
    if field.kind in ("OTHER", "MY_NUMBER", "CREDIT_CARD") and field.strength >= 0.8:
        return 0.3
    return 0.65 if field.kind in ("", "NAME", "NUMBER") else 0.4


def load() -> DriversLicenseFinder:
    """The finder."""
    return DriversLicenseFinder()
