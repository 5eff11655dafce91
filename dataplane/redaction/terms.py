"""A tenant's own terms: exact strings that always, or never, count as personal data.

Both compare in a folded form (full-width ASCII as ASCII, no letter case, characters without width ignored), so a term
is not missed because it was written wide or with zero-width characters in it. Terms become one regular expression
shaped as a trie: its cost per character is bounded by the longest term, whatever their number, and there is nothing in
it to backtrack over. Compiled once per policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dataplane.redaction.spans import Span

MAX_TERMS = 2_000
MAX_TERM_CHARS = 64
DENIED_TERM = "DENIED_TERM"

_NO_WIDTH = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_GAP = f"[{_NO_WIDTH}]{{0,4}}"
_STRIP = re.compile(f"[{_NO_WIDTH}]+")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_FOLD = _WIDE | {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_FOLD |= {wide: code + 32 for wide, code in _WIDE.items() if ord("A") <= code <= ord("Z")}

# A term with the most gaps inside it.
_REACH = MAX_TERM_CHARS * 5

_Trie = dict[str, "_Trie"]


def fold(text: str) -> str:
    """`text` in lower case and half width, of the same length."""
    return text.translate(_FOLD)


def bare(text: str) -> str:
    """`text` folded and without characters that have no width; the form in which terms are compared."""
    return _STRIP.sub("", fold(text))


class Terms:
    """Finds terms in a text. Immutable."""

    __slots__ = ("_opening", "_pattern")

    def __init__(self, terms: Iterable[str]) -> None:
        words = [bare(term) for term in terms]
        root = _trie(words)
        self._pattern = re.compile(_regex(root)) if words else None
        opening = _opening(root)
        self._opening = re.compile(opening) if opening else None

    def find(self, text: str) -> list[Span]:
        """Every occurrence, longest first at each place, sorted and without overlaps."""
        if self._pattern is None:
            return []
        return [Span(*hit.span(), DENIED_TERM, 1.0, "deny_terms") for hit in self._pattern.finditer(fold(text))]

    def opened(self, text: str) -> int | None:
        """Where at the end of `text` a term may have begun that goes on after it; None when nowhere."""
        if self._opening is None or not text:
            return None
        hit = self._opening.search(fold(text[-_REACH:]))
        return None if hit is None else max(0, len(text) - _REACH) + hit.start()


def _trie(words: Iterable[str]) -> _Trie:
    root: _Trie = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return root


def _regex(node: _Trie) -> str:
    branches = list(_branches(node))
    if not branches:
        return ""
    body = "|".join(branches)
    if "" in node:
        return f"(?:{body})?"
    return body if len(branches) == 1 else f"(?:{body})"


def _branches(node: _Trie) -> Iterator[str]:
    for character, below in sorted(node.items()):
        if character:
            rest = _regex(below)
            yield re.escape(character) + (_GAP + rest if rest and "" not in below else _optional(rest))


def _optional(rest: str) -> str:
    """`rest` is "(?:…)?" here: the gap belongs inside, or it would be swallowed after a complete term."""
    return f"(?:{_GAP}{rest[:-1]})?" if rest else ""


def _opening(node: _Trie) -> str:
    """What of a term may stand at the end of a text: its beginning, never all of it."""
    branches: list[str] = []
    for character, below in sorted(node.items()):
        if below.keys() - {""}:
            rest = _opening(below)
            branches.append(re.escape(character) + _GAP + (rf"(?:\Z|{rest})" if rest else r"\Z"))
    return "|".join(branches)
