"""The text as detectors read it: one form for every way of writing the same thing, and the way back.

Strategy: one `str.translate` that keeps the length (full-width to ASCII, half-width kana to kana, digits of every
script to 0-9, every hyphen and minus to '-', every space to ' ', compatibility and variant ideographs to the
common ones), then, only where such characters occur, one pass that drops what has no width (zero-width and
direction marks, variation selectors, combining marks, control characters) and joins voiced marks to their kana.
Only that second pass needs an offset table, and so does text with escapes (`escapes`), which are read before; for all
other text the offsets of both forms are the same.

Guarantees: linear time, no exception for any str (lone surrogates and NUL included), `span` never points outside
the original. Limits: the prolonged sound mark U+30FC stays, for it is a letter in kana words; patterns for digits
accept it as a hyphen. Circled digits stay, they are list marks.

Source: Unicode Standard Annex #15 (NFKC) for the compatibility mappings, JIS X 0201/0208 for half-width kana.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable
from typing import Any, TypeVar

from recognizers.escapes import decoded
from recognizers.finding import Finding
from recognizers.variants import OLD_TO_NEW, SAME_KANJI

T = TypeVar("T")

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u2501\u207b\ufe58\ufe63\uff0d\u02d7\u2043"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u3164"
_SINGLE = {"\u2028": "\n", "\u2029": "\n", "\u0085": "\n", "\u301c": "~", "\u223c": "~", "\u25cb": "〇", "\u25ef": "〇"}
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2032": "'", "\uff07": "'"}
_COMPATIBILITY = ((0x2E80, 0x2FD6), (0xF900, 0xFB07), (0xFF01, 0xFFEF), (0x1D400, 0x1D800), (0x2F800, 0x2FA20))
_VOICED, _SEMI = "\u3099", "\u309a"
_DROPPED = (
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u00ad\u0300-\u036f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_VOICEABLE = "うかきくけこさしすせそたちつてとはひふへほウカキクケコサシスセソタチツテトハヒフヘホワヲ"


def _one_character(mapped: str) -> str | None:
    return mapped if len(mapped) == 1 else None


def _table() -> dict[int, str]:
    table: dict[int, str] = {}
    for first, last in _COMPATIBILITY:
        for code in range(first, last):
            folded = _one_character(unicodedata.normalize("NFKC", chr(code)))
            if folded is not None and folded != chr(code):
                table[code] = folded
    for code in range(0x80, 0x20000):
        digit = unicodedata.decimal(chr(code), None)
        if digit is not None:
            table[code] = str(digit)
    table.update((ord(dash), "-") for dash in _DASHES)
    table.update((ord(space), " ") for space in _SPACES)
    table.update((ord(key), value) for key, value in (_SINGLE | _QUOTES | SAME_KANJI).items())
    table.update({0xFF9E: _VOICED, 0xFF9F: _SEMI})
    return table


def _pairs() -> dict[str, str]:
    found = (
        (base + mark, unicodedata.normalize("NFC", base + mark)) for base in _VOICEABLE for mark in (_VOICED, _SEMI)
    )
    return {pair: joined for pair, joined in found if len(joined) == 1}


_TABLE = _table()
_PAIRS = _pairs()
_IRREGULAR = re.compile(f"[{_VOICEABLE}][{_VOICED}{_SEMI}]|[{_VOICED}{_SEMI}{_DROPPED}]+")
# What every irregular stretch has in it; far quicker to look for, and mostly absent.
_MARK = re.compile(f"[{_VOICED}{_SEMI}{_DROPPED}]")
_UPPER_TO_LOWER = {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
_OLD_KANJI = {ord(old): new for old, new in OLD_TO_NEW.items()}


def _class(table: dict[int, str]) -> re.Pattern[str]:
    """Runs of characters that `table` changes; far cheaper than `str.translate` where they are few."""
    # Beyond the BMP one range: single characters there would make the class a list searched one by one.
    basic = "".join(re.escape(chr(code)) for code in sorted(table) if code < 0x10000)
    return re.compile(f"[{basic}\U00010000-\U0010ffff]+")


_FOLDABLE = _class(_TABLE)
_OLD = _class(_OLD_KANJI)


def _fold(run: re.Match[str]) -> str:
    return run.group().translate(_TABLE)


def _modernise(run: re.Match[str]) -> str:
    return run.group().translate(_OLD_KANJI)


class FoldedText:
    """A text and its folded form; built once per scan and shared by all finders.

    `folded` is what patterns run on. `span(start, end)` takes folded offsets back to the original.
    `view(build)` keeps what several finders need (numbers, labels, table columns), computed at first use.
    """

    __slots__ = ("_offsets", "_views", "folded", "original")

    def __init__(self, original: str) -> None:
        self.original = original
        plain, starts = decoded(original)
        mapped = plain if plain.isascii() else _FOLDABLE.sub(_fold, plain)
        self.folded, offsets = _compact(mapped)
        if starts is not None:
            offsets = starts if offsets is None else array("I", [starts[at] for at in offsets])
        self._offsets = offsets
        self._views: dict[Callable[[FoldedText], Any], Any] = {}

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Original offsets of folded [start, end); marks that were dropped after a character belong to it."""
        if self._offsets is None:
            return start, end
        return self._offsets[start], self._offsets[end]

    def finding(self, start: int, end: int, entity: str, score: float, recognizer: str) -> Finding:
        """A `Finding` for folded [start, end), in offsets of the original."""
        first, last = self.span(start, end)
        return Finding(first, last, entity, score, recognizer)

    def view(self, build: Callable[[FoldedText], T]) -> T:
        """What `build` makes of this text, computed once."""
        try:
            result: T = self._views[build]
        except KeyError:
            result = self._views[build] = build(self)
        return result

    @property
    def lowered(self) -> str:
        """`folded` with ASCII letters in lower case; same length."""
        return self.view(_lowered)

    @property
    def modern(self) -> str:
        """`folded` with old kanji forms made modern (廣→広), for gazetteers; same length."""
        return self.view(_modern)


def _compact(mapped: str) -> tuple[str, array[int] | None]:
    if _MARK.search(mapped) is None:
        return mapped, None
    pieces: list[str] = []
    offsets: array[int] = array("I")
    last = 0
    for match in _IRREGULAR.finditer(mapped):
        start, end = match.span()
        pieces.append(mapped[last:start])
        offsets.extend(range(last, start))
        joined = _PAIRS.get(match.group())
        if joined is not None:
            pieces.append(joined)
            offsets.append(start)
        elif mapped[start] in _VOICEABLE:
            pieces.append(mapped[start])
            offsets.append(start)
        last = end
    pieces.append(mapped[last:])
    offsets.extend(range(last, len(mapped) + 1))
    return "".join(pieces), offsets


def _lowered(text: FoldedText) -> str:
    lowered = text.folded.lower()
    # A few letters (U+0130) change length in lower case; offsets must not move.
    return lowered if len(lowered) == len(text.folded) else text.folded.translate(_UPPER_TO_LOWER)


def _modern(text: FoldedText) -> str:
    return text.folded if text.folded.isascii() else _OLD.sub(_modernise, text.folded)
