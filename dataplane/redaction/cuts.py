"""Where a text may be cut: a matter of its content alone, never of how it arrived.

`Window` holds the measures (characters), `next_cut` finds the next place to scan up to. Strong cuts are the ends of
sentences and lines, clause cuts come after 、 and its like, soft cuts lie between words (after blanks, between
hiragana and what follows), and when nothing of the kind comes within the cap the text is cut anyway.
Each cut has a margin: so many characters before it stay undecided, for want of right context. `settled` moves the
margin back to where a word, a number, a run of capitalised words or the beginning of an address starts, so that
nothing goes out of which more may come. All measures were chosen with `python -m bench.stream_hold`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

# The mark comes before what tells whether it is one, so that the search can skip by character class.
_STRONG = re.compile(
    r"[。！？\n\r\u2028\u2029!?.](?:(?<=[。！？\n\r\u2028\u2029])|(?<=[!?])(?=[\s\"')\]])|(?<=[a-z]{3}\.)(?=\s))"
)
_CLAUSE = re.compile(r"[、，；;…,:)|\t](?:(?<=[、，；;…|\t])|(?<=[,:)])(?=\s)|(?<=[\"'\]}],))")
_PLAIN_CLAUSE = re.compile(r"、(?<=[ぁ-ん][うえがくしすずせたてでとどねのはばへめもやよらりるれろん]、)")
_SOFT = re.compile(r"(?<=[ぁ-ん])(?=[^ぁ-んー\s])|(?<=[　」』）】])(?=\S)")
_BLANK = re.compile(r"(?<=\s)(?=\S)")

_DIGIT = "0-9０-９〇零一二三四五六七八九十"
_SPOKEN = (
    "ゼロ|イチ|ニー?|サン|ヨン|ゴー?|ロク|ナナ|ハチ|キュー|キュウ|マル|レイ|ぜろ|いち|よん|ろく|なな|はち|きゅう|まる"
)
_SEPARATOR = r" \u3000\-‐-―−–・./,、の()（）年月"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Taisho|Showa|Heisei|Reiwa)[a-z]{0,6}\\.?"
_LEAD = f"{_MONTH}|明治?|大正?|昭和?|平成?|令和?|[MTSHR〒(（+＋]"
_NUMBER = re.compile(rf"(?:{_LEAD})?[{_SEPARATOR}]{{0,2}}(?>(?:(?:[{_DIGIT}]|{_SPOKEN})ー?[{_SEPARATOR}]{{0,3}})+)\Z")
# What a number ends in, before all of it is looked for; so below.
_NUMBER_END = re.compile(f"[{_DIGIT}{_SEPARATOR}ー{_SPOKEN.translate({ord(sign): None for sign in '|?'})}]")
# What is known as an address or a mailbox only by what comes later: English order, kana, spelled aloud.
_OPENING = re.compile(
    r"(?<![A-Za-z0-9.])(?:(?:Room|Rm|Flat|Apt|Apartment|Unit|Suite|No|Aza|Jl|Jalan|Calle|Via|Rue)\.? |#"
    r"|[0-9]{1,3}F, |[0-9]{1,5}(?:-[0-9]{1,4}){0,3},? (?=[A-Z][a-z]|rue |via |calle )"
    r"|[A-Z][a-z]{2,14} [0-9]{1,4}(?:, |-))"
    r"|[ぁ-ん]{2,6}(?:けん|し|ぐん) (?=[ぁ-ん])|(?:メール|アドレス|住所)[はが:：]"
)
_OPENING_CHARS = 64
# A day that stands before its month, as English writes it: 7 February, 12th of May.
_DAY_FIRST = re.compile(rf"(?<![0-9])[0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:of )?{_MONTH}")
_DAY_CHARS = 20
_CAPITALS = re.compile(r"(?<![A-Za-zÀ-ɏḀ-ỿ])(?:[A-ZÀ-ÞĐŁŚŠŻŽ][A-Za-zÀ-ɏḀ-ỿ'’.\-]{0,20},? ){1,5}\Z")
_CAPITALS_END = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ'’.\-, ]")
# 群 馬 県: characters that OCR set apart.
_SPACED = re.compile(r"(?<!\S)(?:\S[ \u3000]{1,2}){2,32}\S?\Z")
_SPACED_END = re.compile("[ \u3000]")
_WORDS = tuple(
    re.compile(f"[{letters}]{{1,{most}}}")
    for letters, most in (
        (r"A-Za-z0-9_＿Ａ-Ｚａ-ｚ０-９À-ɏḀ-ỿ.%+@:/=&?#~\-", 64),
        ("一-龠々〆ヶ𠀀-\U0003ffff", 12),
        ("ァ-ヴー", 24),
    )
)
_LONGEST = 64
_THRIFTY_STEP = 64
_SEPARATORS = frozenset(" \u3000-‐‑‒–—―−・./,、の()（）年月ー")


@dataclass(frozen=True, slots=True)
class Window:
    """Measures of a redactor, all in code points.

    `near` and `left`: least and most context scanned before the first undecided character; `step`: least number of
    new characters between scans (half for the end of a sentence), which bounds the cost; `soft`: so many new
    characters make a word boundary good enough; the margins: right context wanted at each kind of cut, `plain_margin`
    at a clause that ends in hiragana no name ends in; `cap`: most characters ever held.
    """

    near: int = 32
    left: int = 96
    step: int = 8
    soft: int = 24
    strong_margin: int = 0
    plain_margin: int = 2
    clause_margin: int = 6
    soft_margin: int = 6
    blank_margin: int = 8
    cap: int = 96

    def thrifty(self) -> Window:
        """This window with scans far apart, for text that is all boundaries."""
        return _altered(self, step=max(self.step, _THRIFTY_STEP), soft=max(self.soft, _THRIFTY_STEP))

    def capped(self, cap: int) -> Window:
        """This window holding at most `cap` characters."""
        return _altered(self, cap=cap)


@lru_cache(256)
def _altered(window: Window, **measures: int) -> Window:
    """Each exchange asks for the same few."""
    return replace(window, **measures)


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
        *_first(_STRONG, text, scanned + window.step // 2 - 1, last, window.strong_margin),
        *_first(_PLAIN_CLAUSE, text, first - 1, last, window.plain_margin),
        *_first(_CLAUSE, text, first - 1, last, window.clause_margin),
        *_first(_SOFT, text, scanned + window.soft, last, window.soft_margin),
        *_first(_BLANK, text, scanned + window.soft, last, window.blank_margin),
    ]
    if cuts:
        return min(cuts)
    if last == done + window.cap and len(text) > last:
        return Cut(last, window.soft_margin, forced=True)
    return None


def _first(pattern: re.Pattern[str], text: str, start: int, last: int, margin: int) -> list[Cut]:
    if start > last:
        return []
    # One character beyond `last` for the look-aheads; without an end every miss would read the whole rest of the text.
    hit = pattern.search(text, max(0, start), last + 1)
    return [Cut(hit.end(), margin, forced=False)] if hit is not None and hit.end() <= last else []


def settled(text: str, limit: int, least: int, end: int) -> int:
    """`limit`, or where the word or number begins that it would cut in two or that may go on after `end`.

    Never before `least`; `end` is the cut, `limit` is at most `end`.
    """
    number = _number_before(text, end, least)
    if number is not None:
        limit = min(limit, number.start())
    number = _number_before(text, limit, least)
    if number is not None and limit < end and _continues(text[limit]):
        limit = number.start()
    opening = _OPENING.search(text, max(least, end - _OPENING_CHARS), limit)
    if opening is not None and _STRONG.search(text, opening.end(), end) is None:
        return opening.start()
    if limit < end:
        limit = _word_start(text, limit, least)
        date = _DAY_FIRST.search(text, max(least, limit - _DAY_CHARS), end)
        if date is not None and date.start() < limit < date.end():
            limit = date.start()
    run = _run_before(text, limit, least)
    return limit if run is None else run.start()


def _number_before(text: str, limit: int, least: int) -> re.Match[str] | None:
    """The number that ends at `limit`."""
    if _NUMBER_END.match(text, limit - 1, limit) is None:
        return None
    return _NUMBER.search(text, max(least, limit - _LONGEST), limit)


def _run_before(text: str, limit: int, least: int) -> re.Match[str] | None:
    """The capitalised words, or the characters set apart, that end at `limit`."""
    earliest = max(least, limit - _LONGEST)
    run = _CAPITALS.search(text, earliest, limit) if _CAPITALS_END.match(text, limit - 1, limit) else None
    if run is None and _SPACED_END.search(text, max(earliest, limit - 2), limit):
        run = _SPACED.search(text, earliest, limit)
    return run


def _continues(character: str) -> bool:
    return _NUMBER.match(character) is not None or character in _SEPARATORS


def _word_start(text: str, limit: int, least: int) -> int:
    for word in _WORDS:
        if word.match(text, limit) is not None:
            before = word.match(text[max(least, limit - _LONGEST) : limit][::-1])
            return limit if before is None else limit - before.end()
    return limit


def context_start(text: str, done: int, window: Window) -> int:
    """Where the left context of `done` begins: after the nearest strong cut between `near` and `left` back."""
    if done <= window.near:
        return 0
    earliest = max(0, done - window.left)
    start = earliest
    for hit in _STRONG.finditer(text, earliest, done - window.near):
        start = hit.end()
    return start
