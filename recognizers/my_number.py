"""MY_NUMBER: 個人番号, twelve digits with a check digit, in any writing.

A random twelve-digit number passes the check one time in eleven, so a label of something else (an order, a tracking
number) refuses it; without any label it is reported, for a leaked My Number is worse than a masked parcel number.
Source: 総務省令第85号 5条 (see `checksums.my_number`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers import checksums
from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.numbers import Number, of_lengths, tied

ENTITY = "MY_NUMBER"
# Another four digits: a card's, with a wrong check digit.
_GOES_ON = re.compile("[ -][0-9]{4}(?![0-9])")


class MyNumberFinder:
    """Finds 個人番号."""

    entities = frozenset({ENTITY})
    name = "my_number"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for number in of_lengths(text, 12):
            if checksums.my_number(number.digits):
                yield text.finding(number.start, number.end, ENTITY, _score(text, number), self.name)


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    if field.kind == ENTITY:
        return 0.99
    if tied(text.folded, number) and len(number.groups) < 3:  # the tail of a longer code
        return 0.3
    if number.groups == (4, 4, 4) and _GOES_ON.match(text.folded, number.end):
        return 0.3
    if len(number.groups) == 6 and max(number.groups) == 2:  # numbers drawn
        return 0.3
    if "、" in number.joins:  # a list of years or counts, unless the label says otherwise
        return 0.4
    if ENTITY in topics_of(text, number.start, number.end):
        return 0.6 if field.kind == "OTHER" and field.strength == 1.0 else 0.9
    if field.kind in ("OTHER", "DRIVERS_LICENSE") and field.strength >= 0.8:
        return 0.3
    return 0.7 if field.kind in ("", "NAME", "NUMBER") else 0.5


def load() -> MyNumberFinder:
    """The finder."""
    return MyNumberFinder()
