"""PASSPORT: Japanese books (two letters, seven digits; ordinary ones begin with M or T) and, near a label, foreign ones.

Source: 外務省 旅券 (format); ICAO Doc 9303 (nine characters at most). The number itself has no check digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels

ENTITY = "PASSPORT"
_END = r"(?![0-9A-Za-z]|-[0-9A-Za-z])"
_JAPANESE = re.compile(rf"[A-Za-z](?<![0-9A-Za-z_-].)[A-Za-z] ?[0-9]{{7}}{_END}")
_FOREIGN = re.compile(
    rf"[0-9A-Z](?<![0-9A-Za-z_-].)(?:(?<=[A-Z])[A-Z]? ?[0-9]{{6,8}}[A-Z]?|(?<=[0-9])(?:[0-9][A-Z]{{2}}[0-9]{{5}}|[0-9]{{8}})){_END}"
)
_FIVE = re.compile("[0-9][0-9]{4}")  # the least that both have in a row
# Boxes of a form, a scanner's spaces, and hyphens: only in a field labelled so.
_APART = re.compile(rf"[A-Za-z](?<![0-9A-Za-z_-].) ?[A-Za-z] ?-? ?[0-9OoIl](?: ?[0-9OoIl]){{6}}{_END}")


class PassportFinder:
    """Finds passport numbers."""

    entities = frozenset({ENTITY})
    name = "passport"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for pattern in (_JAPANESE, _FOREIGN) if _FIVE.search(text.folded) else ():
            for match in pattern.finditer(text.folded):
                score = _score(text, match, japanese=pattern is _JAPANESE)
                yield text.finding(match.start(), match.end(), ENTITY, score, self.name)
        yield from _apart(text, self.name)


def _apart(text: FoldedText, name: str) -> Iterator[Finding]:
    if ENTITY not in text.view(labels).kinds:
        return
    for match in _APART.finditer(text.folded):
        field = field_of(text, *match.span())
        if field.kind == ENTITY and field.strength >= 0.8:
            yield text.finding(*match.span(), ENTITY, 0.97, name)


def _score(text: FoldedText, match: re.Match[str], *, japanese: bool) -> float:
    field = field_of(text, match.start(), match.end())
    if field.kind == ENTITY:
        return 0.97 if field.strength >= 0.8 else 0.8
    if field.kind not in ("", "NAME", "NUMBER", "GENDER", "DATE_OF_BIRTH", "DATE") and field.strength >= 0.8:
        return 0.3
    if ENTITY in topics_of(text, match.start(), match.end(), before=200):
        return 0.75 if japanese or match.group()[0].isalpha() else 0.6
    return 0.6 if japanese and match.group()[0] in "MT" else 0.3


def load() -> PassportFinder:
    """The finder."""
    return PassportFinder()
