"""CREDIT_CARD: primary account numbers, 13 to 19 digits, with a network prefix and the Luhn check.

Source: ISO/IEC 7812-1 (Luhn, issuer identification), prefixes as published by the card networks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers import checksums
from recognizers.context import field_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.numbers import Number, numbers, of_lengths

ENTITY = "CREDIT_CARD"
_BETWEEN = 8
_NETWORK = re.compile(
    r"(?:4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}(?:\d\d)?"  # American Express, Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d)\d{12}(?:\d{3})?)"  # Discover, UnionPay
)


class CreditCardFinder:
    """Finds payment card numbers."""

    entities = frozenset({ENTITY})
    name = "credit_card"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for number in of_lengths(text, 13, 14, 15, 16, 19):
            if _NETWORK.fullmatch(number.digits) and checksums.luhn(number.digits):
                yield text.finding(number.start, number.end, ENTITY, _score(text, number), self.name)
        if ENTITY in text.view(labels).kinds:
            for start, end in _told_apart(text):
                yield text.finding(start, end, ENTITY, 0.9, self.name)


def _told_apart(text: FoldedText) -> Iterator[tuple[int, int]]:
    """Four by four with words between: 上四桁が4716、次が0038、次が….

    In words, the check digit tells.
    """
    run: list[Number] = []
    for number in text.view(numbers):
        near = bool(run) and number.start - run[-1].end <= _BETWEEN
        if len(number.digits) != 4:
            run = []
            continue
        run = [*(run if near else ()), number][-4:]
        digits = "".join(part.digits for part in run)
        if len(run) == 4 and _NETWORK.fullmatch(digits) and checksums.luhn(digits):
            yield run[0].start, number.end


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    if field.kind == ENTITY:
        return 0.99
    grouped = number.groups in ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4))
    if "、" in number.joins or (number.groups[0] == 1 and number.joins[:1] == "."):
        return 0.4
    if field.kind == "OTHER" and field.strength >= 0.8:
        return 0.55 if grouped else 0.4
    if len(number.digits) == 13:  # EAN-13 and other codes are as long as the oldest Visa numbers
        return 0.4
    return 0.9 if grouped else 0.75


def load() -> CreditCardFinder:
    """The finder."""
    return CreditCardFinder()
