"""Where a text may be cut: a matter of its content alone, never of how it arrived.

`Window` holds the measures (characters), `next_cut` finds the next place to scan up to. Strong cuts are the ends of
sentences and lines, clause cuts come after 、 and its like, soft cuts lie between words (after blanks, between
hiragana and what follows), and when nothing of the kind comes within the cap the text is cut anyway.
Each cut has a margin: so many characters before it stay undecided, for want of right context.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_STRONG = re.compile(r"[。！？\n\r\u2028\u2029]|[!?.](?=[\s\"')\]])")
_CLAUSE = re.compile(r"[、，；;…]|[,:)](?=\s)")
_SOFT = re.compile(r"(?<=[ぁ-ん])(?=[^ぁ-んー])|(?<=[\s　」』）】])(?=\S)")
_TOKEN = re.compile(r"[A-Za-z0-9_＿Ａ-Ｚａ-ｚ０-９]+\Z")
_LONGEST_TOKEN = 40


@dataclass(frozen=True, slots=True)
class Window:
    """Measures of a redactor, all in code points.

    `left`: context scanned before the first undecided character; `step`: least number of new characters between
    scans, which bounds the cost; `soft`: so many new characters make a word boundary good enough; the margins:
    right context wanted at each kind of cut; `cap`: most characters ever held.
    """

    left: int = 64
    step: int = 12
    soft: int = 24
    strong_margin: int = 0
    clause_margin: int = 2
    soft_margin: int = 8
    cap: int = 96


class Cut(NamedTuple):
    """Scan up to `end`; the last `margin` characters before it stay undecided."""

    end: int
    margin: int
    forced: bool


def next_cut(text: str, scanned: int, done: int, window: Window) -> Cut | None:
    """The first cut after `scanned`, or None when more text is needed to tell.

    `done` is the first undecided character. The answer for a text holds for every longer text.
    """
    last = min(len(text), done + window.cap)
    first = scanned + window.step
    cuts = [
        *_first(_STRONG, text, first - 1, last, window.strong_margin),
        *_first(_CLAUSE, text, first - 1, last, window.clause_margin),
        *_first(_SOFT, text, scanned + window.soft, last, window.soft_margin),
    ]
    if cuts:
        return min(cuts)
    if last == done + window.cap and len(text) > last:
        return Cut(last, window.soft_margin, forced=True)
    return None


def _first(pattern: re.Pattern[str], text: str, start: int, last: int, margin: int) -> list[Cut]:
    hit = pattern.search(text, max(0, start))
    return [Cut(hit.end(), margin, forced=False)] if hit is not None and hit.end() <= last else []


def before_token(text: str, limit: int, least: int, end: int) -> int:
    """`limit`, or the start of the ASCII word that it would cut in two, but not before `least`; `end` is the cut."""
    if limit >= end or not _is_token(text[limit]):
        return limit
    token = _TOKEN.search(text, max(least, limit - _LONGEST_TOKEN), limit)
    return limit if token is None else token.start()


def _is_token(character: str) -> bool:
    return character == "_" or (character.isalnum() and (character.isascii() or "０" <= character <= "ｚ"))


def context_start(text: str, done: int, left: int) -> int:
    """Where the left context of `done` begins: after a strong cut if one is near, `left` to 1.5 `left` back."""
    if done <= left:
        return 0
    earliest = max(0, done - context_chars(left))
    hit = _STRONG.search(text, earliest, done - left)
    return done - left if hit is None else hit.end()


def context_chars(left: int) -> int:
    """Most characters before the first undecided one that a scan can need."""
    return left + left // 2
