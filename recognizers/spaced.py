"""Text that a scanner or a form set apart: 住 所, 埼 玉 県 羽 生 市. Characters without the spaces, and where each stands.

Bounded: a label has at most eight characters; a line is taken whole, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_CHARACTER = "[々一-龠ぁ-んァ-ヶー]"
_NONE = "[^々一-龠ぁ-んァ-ヶー]"
# A space between two characters of Japanese, and what goes on so. The space comes first: it is rare.
_WORD = re.compile(
    rf" (?:(?<={_NONE}{_CHARACTER} )|(?<=\A{_CHARACTER} )) {{0,2}}+{_CHARACTER}(?!{_CHARACTER})(?: {{1,3}}+{_CHARACTER}(?!{_CHARACTER})){{0,6}}"
)
_APART = re.compile(
    rf" (?<={_CHARACTER} )(?:[^\s!-,./:-@A-HJ-NP-Z\[-`a-km-z{{-~]{{1,2}} {{1,2}}){{3}}| (?:(?<=[住居] )所|(?<=本 )籍|(?<=届 )先)[ :]"
)
_LETTERS = str.maketrans("OoIl", "0011")
LEAST = 3


class Squeezed(NamedTuple):
    """`text` without spaces; `places[i]` is where its character i stands."""

    text: str
    places: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where [start, end) of the text stands."""
        return self.places[start], self.places[end - 1] + 1


def squeezed(folded: str, start: int, end: int) -> Squeezed:
    """[start, end) of `folded` without its spaces."""
    places = [place for place in range(start, end) if folded[place] != " "]
    return Squeezed("".join(map(folded.__getitem__, places)), places)


def spaced_words(folded: str) -> Iterator[Squeezed]:
    """Runs of two to eight characters of Japanese with spaces between."""
    if " " not in folded or folded.isascii():
        return
    for match in _WORD.finditer(folded):
        yield squeezed(folded, match.start() - 1, match.end())


def spaced_lines(folded: str) -> Iterator[Squeezed]:
    """Lines in which several characters stand apart, their letters that look like digits read as those."""
    if folded.count(" ") < LEAST or folded.isascii():
        return
    done = 0
    for match in _APART.finditer(folded):
        if match.start() < done:
            continue
        start = folded.rfind("\n", done, match.start()) + 1 or done
        end = folded.find("\n", match.end())
        done = len(folded) if end < 0 else end
        line = squeezed(folded, start, done)
        yield line._replace(text=line.text.translate(_LETTERS))
