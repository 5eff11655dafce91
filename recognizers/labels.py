"""Where labels stand in a text, and which of them speak for a value at a given place.

One pass with a trie of all labels finds them; the longest match wins. A form's 住 所 counts as 住所. A value's *field* is, in this order: the
column it stands in (`tables`), the nearest label before it within the same statement, the label directly after it
(`… が個人番号です`, `…(普)`), or the label on the line above. Its *topics* are all kinds near it.

Linear: look-ups are bisections, each looks at no more than `_MANY` labels.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from recognizers.folded import FoldedText
from recognizers.spaced import spaced_words
from recognizers.vocabulary import vocabulary

_MANY = 12


class Label(NamedTuple):
    """A label in the text, folded offsets."""

    start: int
    end: int
    kind: str
    word: str


_Trie = dict[str, "_Trie"]


def _trie(words: Iterable[str]) -> _Trie:
    root: _Trie = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return root


def _regex(node: _Trie, end: str) -> str:
    """The trie as a pattern that prefers the longest word; `end` is what must follow a word."""
    branches = [re.escape(character) + _regex(below, end) for character, below in sorted(node.items()) if character]
    if "" in node:
        branches.append(end)
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


# 子, 妻, 女 are labels alone, not as the end of a name (信子).
_KANJI_BEFORE = re.compile("[々一-龠]")
_KINDS = vocabulary()
# ASCII words count only where no letter or digit touches them; Japanese has no word breaks. What must stand left of a
# word is asked after its first letter, so that the search can skip by character class.
_ASCII = re.compile(
    "|".join(
        first + "(?<![0-9a-z].)" + _regex(below, "(?![a-z])")
        for first, below in sorted(_trie(word for word in _KINDS if word[0].isascii() and word[0].isalpha()).items())
    )
)
_PART = 20


def _parted(root: _Trie) -> str:
    """The trie as a pattern that takes the first character from a class and then asks which it was, by parts.

    A search skips to the class; an alternation of all words would be tried from its beginning at each of its characters.
    """
    firsts = [(re.escape(character), below) for character, below in sorted(root.items())]
    parts = [firsts[at : at + _PART] for at in range(0, len(firsts), _PART)]
    branches = map(_part, parts)
    return f"[{''.join(first for first, _ in firsts)}](?:{'|'.join(branches)})"


def _part(firsts: list[tuple[str, _Trie]]) -> str:
    words = "|".join(f"(?<={first}){_regex(below, '')}" for first, below in firsts)
    return f"(?<=[{''.join(first for first, _ in firsts)}])(?:{words})"


_OTHER = re.compile(_parted(_trie(word for word in _KINDS if not (word[0].isascii() and word[0].isalpha()))))


class Labels:
    """All labels of one text, with look-ups by place."""

    __slots__ = ("_ends", "_labels", "_lowered", "kinds")

    def __init__(self, text: FoldedText) -> None:
        self._lowered = text.lowered
        self._labels = _longest(self._lowered)
        self._ends = [label.end for label in self._labels]
        # A finder that goes by labels of its own need not look where there is none.
        self.kinds = frozenset(label.kind for label in self._labels)

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
    """Leftmost longest, non-overlapping matches."""
    japanese = [] if lowered.isascii() else _matches(_OTHER, lowered)
    english = _matches(_ASCII, lowered)
    apart = list(_set_apart(lowered))
    if apart:
        japanese = [label for label in japanese if not any(one.start <= label.start < one.end for one in apart)]
    return sorted([*japanese, *english, *apart]) if english or apart else japanese


def _set_apart(lowered: str) -> Iterator[Label]:
    for word in spaced_words(lowered):
        for match in _OTHER.finditer(word.text):
            if len(match.group()) > 1:
                yield Label(*word.span(*match.span()), _KINDS[match.group()], match.group())


def _matches(pattern: re.Pattern[str], lowered: str) -> list[Label]:
    return [
        Label(*match.span(), _KINDS[match.group()], match.group())
        for match in pattern.finditer(lowered)
        if len(match.group()) > 1 or not _KANJI_BEFORE.fullmatch(lowered[match.start() - 1 : match.start()])
    ]
