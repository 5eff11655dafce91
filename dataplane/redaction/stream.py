"""Hold-back: raw text in, pieces that are safe to let go out, whatever the chunking.

Strategy: the text is scanned at cuts that depend on its content only (`cuts`), each scan seeing left context that was
decided before. What lies before the cut's margin is let go; a finding that reaches into the margin is held whole
until a later scan has seen what follows it. So the pieces of a text, joined, are the same for every chunking.

Guarantees: nothing is let go that no scan has seen; never more than `window.cap` characters wait for text to come; a
finding longer than that is given out as masked as far as it goes, and the run of characters without blanks that goes
on behind it is swallowed. Time is linear in the text: when more than six characters were scanned per character of
text for a while (text that is all boundaries), scans move apart. Limits: what a detector would say with more than
`left` characters of left context, or more right context than the cut's margin, is lost, but for the header of a
table, which rows of any distance are scanned with (`header`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dataplane.redaction.cuts import Cut, Window, context_start, next_cut, settled
from dataplane.redaction.header import MAX_CHARS, Header
from dataplane.redaction.overlong import is_key_block, run_end
from dataplane.redaction.spans import RESTORE, Span, override

SWALLOWED = "kagami.overflow"
"""Recognizer name of pieces that continue a finding too long to hold."""

FinalScan = Callable[[str, bool], Sequence[Span]]
"""A scan that is told whether the end of its text is the end of everything."""

_WORK, _MOST_DEBT = 6, 1_500
"""Characters that may be scanned per character of text, and how many more before scans move apart."""


class Piece(NamedTuple):
    """Decided text: clean when `span` is None, else what the span (offsets meaningless here) says."""

    text: str
    span: Span | None


class HoldBack:
    """One text lane's hold-back; feed it text in any chunks, then flush."""

    __slots__ = (
        "_base",
        "_debt",
        "_done",
        "_header",
        "_key_block",
        "_known",
        "_overflown",
        "_scan",
        "_scanned",
        "_text",
        "_thrifty",
        "_window",
    )

    def __init__(self, scan: FinalScan, window: Window, *, context: str = "", known: Sequence[Span] = ()) -> None:
        """`context` comes before the text; `known` findings, in its offsets, count where scans find none."""
        self._scan = scan
        self._known = known
        self._base = len(context)
        self._window = window
        self._text = context
        self._done = self._scanned = len(context)
        self._overflown: Span | None = None
        self._key_block = False
        self._header = Header()
        self._thrifty = window.thrifty()
        self._debt = 0

    @property
    def pending(self) -> int:
        """Characters held back."""
        return len(self._text) - self._done

    def push(self, text: str) -> None:
        """Add text; nothing is decided before `step`."""
        self._text += text

    def step(self) -> list[Piece] | None:
        """Decide up to the next cut; None when more text is needed."""
        window = self._window if self._debt < _MOST_DEBT else self._thrifty
        cut = next_cut(self._text, self._scanned, self._done, window)
        if cut is None:
            self._trim()
            return None
        return self._decide(cut, final=False)

    def feed(self, text: str) -> list[Piece]:
        """`push` and every `step` that is possible."""
        self.push(text)
        pieces: list[Piece] = []
        while (step := self.step()) is not None:
            pieces += step
        return pieces

    def flush(self) -> list[Piece]:
        """Decide everything that is held: no more text comes."""
        if self.pending == 0:
            return []
        return self._decide(Cut(len(self._text), 0, forced=False), final=True)

    def _decide(self, cut: Cut, *, final: bool) -> list[Piece]:
        pieces = self._swallow(cut.end) if self._overflown is not None else []
        if self._done < cut.end:
            spans = self._spans(cut.end, final=final)
            self._debt -= _WORK * (cut.end - self._scanned)
            limit = cut.end if final else self._limit(spans, cut)
            pieces += self._release(spans, limit)
        self._scanned = cut.end
        return pieces

    def _spans(self, end: int, *, final: bool) -> Sequence[Span]:
        """Findings that reach beyond what is decided, in offsets of the buffer, cut to the undecided part."""
        first = min(context_start(self._text, self._done, self._window), self._done - self._header.line_chars)
        above = self._header.above(self._done - first)
        shift = first - len(above)
        self._debt = max(0, self._debt) + end - shift
        found = self._undecided(self._scan(above + self._text[first:end], final), shift, end)
        return override(found, self._undecided(self._known, self._base, end)) if self._known else found

    def _undecided(self, spans: Sequence[Span], shift: int, end: int) -> Sequence[Span]:
        done = self._done
        if done == shift == 0 and (not spans or spans[-1].end <= end):
            # The first scan of a text, most often the only one: sorted and without overlaps, the last ends last.
            return spans
        return [
            span._replace(start=max(done, span.start + shift), end=min(end, span.end + shift))
            for span in spans
            if span.end + shift > done and span.start + shift < end
        ]

    def _limit(self, spans: Sequence[Span], cut: Cut) -> int:
        """Up to where text may go out: the margin, or the start of what it would cut in two."""
        progress = self._window.cap // 4 if cut.forced else 0
        margin = max(self._done, cut.end - cut.margin)
        limit = settled(self._text, margin, self._done, cut.end)
        if limit - self._done < progress:
            limit = margin
        for span in spans:
            if span.start < limit < span.end or span.end == cut.end:
                limit = min(limit, span.start)
                if limit - self._done < progress:
                    return self._overflow(span, cut)
        return limit

    def _overflow(self, span: Span, cut: Cut) -> int:
        if span.end < cut.end:
            return span.end
        if span.recognizer != RESTORE:
            self._overflown = span
            self._key_block = is_key_block(self._text[span.start : cut.end])
        return cut.end

    def _swallow(self, end: int) -> list[Piece]:
        """The rest of a finding that was too long to hold."""
        stop, goes_on = run_end(self._text, self._done, end, key_block=self._key_block)
        overflown = self._overflown
        if not goes_on:
            self._overflown = None
        if stop == self._done or overflown is None:
            return []
        piece = Piece(self._text[self._done : stop], overflown._replace(recognizer=SWALLOWED))
        self._advance(stop)
        return [piece]

    def _release(self, spans: Sequence[Span], limit: int) -> list[Piece]:
        pieces: list[Piece] = []
        at = self._done
        for span in spans:
            if span.start >= limit:
                break
            if span.start > at:
                pieces.append(Piece(self._text[at : span.start], None))
            pieces.append(Piece(self._text[span.start : span.end], span))
            at = span.end
        if at < limit:
            pieces.append(Piece(self._text[at:limit], None))
        self._advance(max(at, limit))
        return pieces

    def _advance(self, done: int) -> None:
        self._header.advance(self._text[self._done : done])
        self._done = done

    def _trim(self) -> None:
        """Forget left context that no scan can need; only here, so that a long push costs linear time."""
        spare = self._done - max(MAX_CHARS, self._window.left)
        if spare > 0:
            self._text = self._text[spare:]
            self._done -= spare
            self._base -= spare
            self._scanned -= spare
