"""PASSPORT: Japanese books (two letters, seven digits; ordinary ones begin with M or T) and, near a label, foreign ones.

In a field labelled so any state's number counts, also in groups, as do the machine-readable lines without a label.
Source: 外務省 旅券 (format); ICAO Doc 9303 (nine characters at most). The number itself has no check digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.mrz import mrz_lines
from recognizers.numbers import has_digits
from recognizers.spoken_codes import PAUSE, letters

ENTITY = "PASSPORT"
_END = r"(?![0-9A-Za-z_]|-[0-9A-Za-z])"
_JAPANESE = re.compile(rf"[A-Za-z](?<![0-9A-Za-z_-].)[A-Za-z] ?[0-9]{{7}}{_END}")
# One or two letters and digits; digits, letters, digits; Korea's M123A4567.
_FOREIGN = re.compile(
    rf"[0-9A-Z](?<![0-9A-Za-z_-].)(?:(?<=[A-Z])[A-Z]? ?[0-9]{{6,8}}[A-Z]?|(?<=[A-Z])[0-9]{{3}}[A-Z][0-9]{{4}}"
    rf"|(?<=[0-9])(?:[0-9][A-Z]{{2}}[0-9]{{5}}|[0-9]{{8}})){_END}"
)
_FOUR = re.compile("[0-9][0-9]{3}")  # the least that both have in a row
# Boxes of a form, a scanner's spaces, groups and hyphens, and numbers of any state: only in a field labelled so.
_APART = re.compile(
    rf"[0-9A-Za-z](?<![0-9A-Za-z_-].)(?:(?<=[A-Za-z]) ?[A-Za-z] ?-?の? ?[0-9OoIl](?: ?[0-9OoIl]){{6}}"
    rf"|(?<=[A-Z])[A-Z]?(?: [0-9]{{2,4}}){{2,3}}|(?<=[0-9])[0-9]{{7}}|(?<=[A-Z])(?=[0-9A-Z]{{3,7}}[0-9])[0-9A-Z]{{8}}){_END}"
)
_EXPIRY_AFTER = re.compile(" ?(?:期限|有効|[Ee]xp)")
# L01X00T47 (DEU), and Russia's 75 0418832: beside the word only.
_STATED = re.compile(
    r"[0-9A-Z](?<![0-9A-Za-z_-].)(?:(?=[0-9A-Z]{7,8} ?\([A-Z]{3}\))[0-9A-Z]{7,8}|(?<=[0-9])[0-9] [0-9]{7}(?![0-9-]))"
)
_SAID = re.compile("(?=[ァ-ヶ])" + letters(2) + PAUSE + "[0-9]{7}(?![0-9A-Za-z-])")
_KOREAN = re.compile("[MSRD][0-9]{3}[A-Z][0-9]{4}")
_DATE = re.compile("(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])")


class PassportFinder:
    """Finds passport numbers."""

    entities = frozenset({ENTITY})
    name = "passport"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        if not has_digits(text):
            return
        for pattern in (_JAPANESE, _FOREIGN) if _FOUR.search(text.folded) else ():
            for match in pattern.finditer(text.folded):
                score = _score(text, match, japanese=pattern is _JAPANESE)
                yield text.finding(match.start(), match.end(), ENTITY, score, self.name)
        for line in mrz_lines(text):
            yield text.finding(*line.number, ENTITY, 0.97, self.name)
        yield from _apart(text, self.name)


def _apart(text: FoldedText, name: str) -> Iterator[Finding]:
    if ENTITY not in text.view(labels).kinds:
        return
    for match in _STATED.finditer(text.folded):
        if sum(map(str.isdigit, match.group())) > 3 and ENTITY in topics_of(text, *match.span(), before=60, after=0):
            yield text.finding(*match.span(), ENTITY, 0.8, name)
    for match in _SAID.finditer(text.folded):
        if field_of(text, *match.span()).kind == ENTITY:
            yield text.finding(*match.span(), ENTITY, 0.9, name)
    for match in _APART.finditer(text.folded):
        if sum(map(str.isdigit, match.group())) < 5 or _DATE.fullmatch(match.group()):
            continue
        field = field_of(text, *match.span())
        if field.kind == ENTITY and field.strength >= 0.8:
            yield text.finding(*match.span(), ENTITY, 0.97, name)


def _score(text: FoldedText, match: re.Match[str], *, japanese: bool) -> float:
    field = field_of(text, match.start(), match.end())
    if field.kind == ENTITY:
        return 0.97 if field.strength >= 0.8 else 0.8
    if field.kind not in ("", "NAME", "NUMBER", "GENDER", "DATE_OF_BIRTH", "DATE") and field.strength >= 0.8:
        return 0.3
    if japanese and _EXPIRY_AFTER.match(text.folded, match.end()):
        return 0.7
    if ENTITY in topics_of(text, match.start(), match.end(), before=200):
        return 0.75 if japanese or match.group()[0].isalpha() else 0.6
    if _KOREAN.fullmatch(match.group()):
        return 0.6
    return 0.6 if japanese and match.group()[0] in "MT" else 0.3


def load() -> PassportFinder:
    """The finder."""
    return PassportFinder()
