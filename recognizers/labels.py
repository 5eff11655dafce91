"""Where labels stand in a text, and which of them speak for a value at a given place.

One multi-pattern pass (Aho-Corasick) finds all labels; longest match wins. A value's *field* is, in this order: the
column it stands in (`tables`), the nearest label before it within the same statement, the label directly after it
(`… が個人番号です`, `…(普)`), or the label on the line above. Its *topics* are all kinds near it.

Linear: look-ups are bisections, each looks at no more than `_MANY` labels.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import ahocorasick

from recognizers.folded import FoldedText
from recognizers.vocabulary import vocabulary

_MANY = 12


class Label(NamedTuple):
    """A label in the text, folded offsets."""

    start: int
    end: int
    kind: str
    word: str


def _automaton() -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word, kind in vocabulary().items():
        automaton.add_word(word, (len(word), kind, word))
    automaton.make_automaton()
    return automaton


_AUTOMATON = _automaton()


class Labels:
    """All labels of one text, with look-ups by place."""

    __slots__ = ("_ends", "_labels", "_lowered")

    def __init__(self, text: FoldedText) -> None:
        self._lowered = text.lowered
        self._labels = _longest(self._lowered)
        self._ends = [label.end for label in self._labels]

    def __bool__(self) -> bool:
        return bool(self._labels)

    def before(self, place: int, reach: int) -> list[Label]:
        """Labels that end in [place - reach, place], nearest first."""
        last = bisect_left(self._ends, place + 1)
        first = bisect_left(self._ends, place - reach, 0, last)
        return self._labels[max(first, last - _MANY) : last][::-1]

    def after(self, place: int, reach: int) -> list[Label]:
        """Labels that start in [place, place + reach], nearest first."""
        first = bisect_left(self._ends, place + 1)
        near = self._labels[first : first + _MANY]
        return [label for label in near if place <= label.start <= place + reach]

    def between(self, start: int, end: int) -> list[Label]:
        """Labels inside [start, end], in order, at most the first few."""
        first = bisect_left(self._ends, start + 1)
        return [label for label in self._labels[first : first + _MANY] if start <= label.start and label.end <= end]


def labels(text: FoldedText) -> Labels:
    """The labels of `text`, for `FoldedText.view`."""
    return Labels(text)


def _longest(lowered: str) -> list[Label]:
    """Leftmost longest, non-overlapping matches; ASCII words only where no letter touches them."""
    found: list[Label] = []
    for last, (length, kind, word) in _AUTOMATON.iter(lowered):
        label = Label(last + 1 - length, last + 1, kind, word)
        if word[0].isascii() and not _stands_alone(lowered, label):
            continue
        while found and label.start <= found[-1].start:
            found.pop()
        if not found or label.start >= found[-1].end:
            found.append(label)
    return found


def _stands_alone(lowered: str, label: Label) -> bool:
    before, after = lowered[label.start - 1 : label.start], lowered[label.end : label.end + 1]
    left = before.isascii() and before.isalnum() and label.word[0].isalnum()
    right = after.isascii() and after.isalpha() and label.word[-1].isalpha()
    return not left and not right
