"""RESIDENCE_CARD: 在留カード and 特別永住者証明書, two letters, eight digits, two letters. No public check digit.

Source: 出入国在留管理庁 在留カード等番号 (format). Postal tracking numbers (UPU S10) have nine digits and do not match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.numbers import has_digits
from recognizers.spoken_codes import PAUSE, digits, letters

ENTITY = "RESIDENCE_CARD"
_CARD = re.compile(
    r"[A-Za-z](?<![0-9A-Za-z_].)[A-Za-z][ -]?[0-9OoIl]{4}[ -]?[0-9OoIl]{4}[ -]?[A-Za-z]{2}(?![0-9A-Za-z_])"
)
# Boxes of a form and a scanner's spaces: only in a field labelled so.
_APART = re.compile(r"[A-Za-z](?<![0-9A-Za-z_].) [A-Za-z](?: [0-9OoIl]){8} [A-Za-z] [A-Za-z](?![0-9A-Za-z_])")
_SAID = re.compile(letters(2) + PAUSE + digits(8) + PAUSE + letters(2))
# A certificate of special permanent residents has one letter and nothing behind.
_PERMANENT = re.compile(r"[A-Z](?<![0-9A-Za-z_].)[0-9]{8}(?![0-9A-Za-z_])")
# What the certificate of special permanent residents has above its number.
_GENERIC = "証明書番号"
_GROUPED = re.compile("[0-9OoIl]{4}[ -][0-9OoIl]{4}")


class ResidenceCardFinder:
    """Finds residence card numbers."""

    entities = frozenset({ENTITY})
    name = "residence_card"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for match in _CARD.finditer(text.folded) if has_digits(text) else ():
            if sum(map(str.isdigit, match.group())) >= 5:
                yield text.finding(match.start(), match.end(), ENTITY, _score(text, match), self.name)
        for pattern in (_APART, _SAID, _PERMANENT) if ENTITY in text.view(labels).kinds else ():
            for match in pattern.finditer(text.folded):
                if field_of(text, *match.span()).kind == ENTITY:
                    yield text.finding(*match.span(), ENTITY, 0.98, self.name)


def _score(text: FoldedText, match: re.Match[str]) -> float:
    field = field_of(text, match.start(), match.end())
    if field.kind == ENTITY:
        return 0.98
    if field.kind == "OTHER" and field.strength >= 0.9 and field.word != _GENERIC:
        return 0.4
    # A number in two groups of four may be a card's or a parcel's with letters around.
    if _GROUPED.search(match.group()) and field.kind not in ("", "NAME", "NUMBER", "PASSPORT", "CREDIT_CARD"):
        return 0.4
    return 0.85 if match.group()[0].isupper() else 0.6


def load() -> ResidenceCardFinder:
    """The finder."""
    return ResidenceCardFinder()
