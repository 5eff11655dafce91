"""A tenant's own terms: exact strings that always, or never, count as personal data.

Both compare in a folded form (full-width ASCII as ASCII, no letter case, characters without width ignored), so a term
is not missed because it was written wide or with zero-width characters in it. A search skips to characters that some
term begins with and looks up the lengths such terms have: its cost per character is bounded by the longest term,
whatever their number. Thousands of terms are made ready in milliseconds, for that happens beside running streams.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from dataplane.redaction.spans import Span

MAX_TERMS = 2_000
MAX_TERM_CHARS = 64
DENIED_TERM = "DENIED_TERM"

_NO_WIDTH = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_STRIP = re.compile(f"[{_NO_WIDTH}]+")
_SHOWN = re.compile(f"[^{_NO_WIDTH}]")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_FOLD = _WIDE | {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_FOLD |= {wide: code + 32 for wide, code in _WIDE.items() if ord("A") <= code <= ord("Z")}
# What is looked back at for the beginning of a term: the longest, with some characters without width in it.
_REACH = MAX_TERM_CHARS * 5


def fold(text: str) -> str:
    """`text` in lower case and half width, of the same length."""
    return text.translate(_FOLD)


def bare(text: str) -> str:
    """`text` folded and without characters that have no width; the form in which terms are compared."""
    return _STRIP.sub("", fold(text))


class Terms:
    """Finds terms in a text. Immutable."""

    __slots__ = ("_first", "_lengths", "_ordered", "_words")

    def __init__(self, terms: Iterable[str]) -> None:
        self._words = frozenset(map(bare, terms)) - {""}
        self._ordered = sorted(self._words)
        lengths: dict[str, set[int]] = {}
        for word in self._ordered:
            lengths.setdefault(word[0], set()).add(len(word))
        # Longest first, by first character.
        self._lengths = {first: tuple(sorted(sizes, reverse=True)) for first, sizes in lengths.items()}
        self._first = re.compile(_class(self._lengths)) if self._words else None

    def find(self, text: str) -> list[Span]:
        """Every occurrence, longest first at each place, sorted and without overlaps."""
        if self._first is None:
            return []
        shown, places = _shown(text)
        spans: list[Span] = []
        done = 0
        for hit in self._first.finditer(shown):
            start = hit.start()
            if start < done:
                continue
            for length in self._lengths.get(hit.group(), ()):
                if start + length <= len(shown) and shown[start : start + length] in self._words:
                    done = start + length
                    spans.append(Span(places[start], places[done - 1] + 1, DENIED_TERM, 1.0, "deny_terms"))
                    break
        return spans

    def opened(self, text: str) -> int | None:
        """Where at the end of `text` a term may have begun that goes on after it; None when nowhere."""
        if self._first is None:
            return None
        shown, places = _shown(text[-_REACH:])
        for hit in self._first.finditer(shown, max(0, len(shown) - MAX_TERM_CHARS + 1)):
            beginning = shown[hit.start() :]
            after = bisect_right(self._ordered, beginning)
            if after < len(self._ordered) and self._ordered[after].startswith(beginning):
                return max(0, len(text) - _REACH) + places[hit.start()]
        return None


def _shown(text: str) -> tuple[str, Sequence[int]]:
    """`text` folded, without characters that have no width, and where each of the others stands."""
    folded = fold(text)
    if _STRIP.search(folded) is None:
        return folded, range(len(folded))
    return _STRIP.sub("", folded), [hit.start() for hit in _SHOWN.finditer(folded)]


def _class(characters: Iterable[str]) -> str:
    # Beyond the BMP one range: single characters there would make the class a list searched one by one.
    basic = "".join(re.escape(character) for character in sorted(characters) if character < "\U00010000")
    return f"[{basic}\U00010000-\U0010ffff]"
