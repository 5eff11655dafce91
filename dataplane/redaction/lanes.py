"""Lanes: hold-back plus replacement for one text of an exchange, or for one JSON text.

A lane is fed the chunks of one text (one per choice, field and tool call) and gives out what may leave. `TextLane`
replaces in plain text. `JsonLane` reads JSON: strings are decoded, scanned with their keys as context, and escaped
again, so that valid JSON stays valid JSON: structure is never touched, and a number that is personal becomes a string.
Text that is not JSON passes through a JSON lane like plain text, scanned and replaced all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from dataplane.redaction.json_view import JsonReader, Kind, Part, escape, needs_quotes
from dataplane.redaction.spans import Span
from dataplane.redaction.stream import HoldBack, Piece

Render = Callable[[str, Span], str]
"""What goes out in place of a text that a span covers."""

_LONGEST_SCALAR = 64
_READ_CHARS = 8_192


class Lane(Protocol):
    """One text of an exchange. After an exception a lane must not be used again."""

    @property
    def pending(self) -> int:
        """Characters held back."""

    def feed(self, text: str) -> str:
        """Take in the next chunk and give out what is decided."""

    def flush(self) -> str:
        """Give out the rest: no more text comes."""

    def steps(self, text: str) -> Iterator[str]:
        """`feed(text)`, one scan at a time."""


class OpenLane:
    """A lane of a policy that is off: everything passes at once."""

    __slots__ = ()
    pending = 0

    def feed(self, text: str) -> str:
        """The text itself."""
        return text

    def flush(self) -> str:
        """Nothing is ever held."""
        return ""

    def steps(self, text: str) -> Iterator[str]:
        """The text itself."""
        yield text


class TextLane:
    """Plain text."""

    __slots__ = ("_hold", "_render")

    def __init__(self, hold: HoldBack, render: Render) -> None:
        self._hold = hold
        self._render = render

    @property
    def pending(self) -> int:
        """Characters held back."""
        return self._hold.pending

    def feed(self, text: str) -> str:
        """Take in the next chunk and give out what is decided."""
        return self._out(self._hold.feed(text))

    def flush(self) -> str:
        """Give out the rest: no more text comes."""
        return self._out(self._hold.flush())

    def steps(self, text: str) -> Iterator[str]:
        """`feed(text)`, one scan at a time."""
        self._hold.push(text)
        while (pieces := self._hold.step()) is not None:
            yield self._out(pieces)

    def _out(self, pieces: Iterable[Piece]) -> str:
        render = self._render
        return "".join(text if span is None else render(text, span) for text, span in pieces)


class JsonLane:
    """JSON text, for instance the arguments of a tool call."""

    __slots__ = ("_hold", "_reader", "_render", "_runs", "_scalar", "_scalar_hit")

    def __init__(self, hold: HoldBack, render: Render) -> None:
        self._hold = hold
        self._render = render
        self._reader = JsonReader()
        self._runs: deque[tuple[Kind, int]] = deque()
        self._scalar: list[tuple[str, str]] = []
        self._scalar_hit = False

    @property
    def pending(self) -> int:
        """Characters held back."""
        return self._hold.pending + self._reader.pending + sum(len(raw) for raw, _ in self._scalar)

    def feed(self, text: str) -> str:
        """Take in the next chunk and give out what is decided."""
        return "".join(self.steps(text))

    def flush(self) -> str:
        """Give out the rest: no more text comes. A string that was left open stays open."""
        self._push(self._reader.flush())
        out = [*self._drain(), self._out(self._hold.flush())]
        return "".join(out) + self._end_scalar()

    def steps(self, text: str) -> Iterator[str]:
        """`feed(text)`, one scan at a time."""
        for start in range(0, len(text), _READ_CHARS):
            self._push(self._reader.feed(text[start : start + _READ_CHARS]))
            yield from self._drain()

    def _push(self, parts: Sequence[Part]) -> None:
        for kind, text in parts:
            if self._runs and self._runs[-1][0] is kind:
                self._runs[-1] = (kind, self._runs[-1][1] + len(text))
            else:
                self._runs.append((kind, len(text)))
        self._hold.push("".join(text for _, text in parts))

    def _drain(self) -> Iterator[str]:
        while (pieces := self._hold.step()) is not None:
            yield self._out(pieces)

    def _out(self, pieces: Iterable[Piece]) -> str:
        return "".join(self._replaced(part, span) for piece in pieces for part, span in self._origins(piece))

    def _origins(self, piece: Piece) -> Iterator[tuple[Part, Span | None]]:
        """`piece` cut where its kind changes. Every decided character was pushed, so the runs never run out."""
        at = 0
        while at < len(piece.text):
            kind, length = self._runs.popleft()
            taken = piece.text[at : at + length]
            if len(taken) < length:
                self._runs.appendleft((kind, length - len(taken)))
            at += len(taken)
            yield Part(kind, taken), piece.span

    def _replaced(self, part: Part, span: Span | None) -> str:
        if part.kind is Kind.BARE:
            return self._bare(part.text, span)
        before = self._end_scalar()
        if part.kind is Kind.RAW or span is None:
            return before + (part.text if part.kind is Kind.RAW else escape(part.text))
        return before + escape(self._render(part.text, span))

    def _bare(self, text: str, span: Span | None) -> str:
        """Hold a number until its end is seen: whether it needs quotation marks depends on the whole."""
        self._scalar.append((text, text if span is None else self._render(text, span)))
        self._scalar_hit = self._scalar_hit or span is not None
        length = sum(len(raw) for raw, _ in self._scalar)
        return self._end_scalar() if length > _LONGEST_SCALAR else ""

    def _end_scalar(self) -> str:
        raw = "".join(raw for raw, _ in self._scalar)
        out = "".join(shown for _, shown in self._scalar)
        quoted = self._scalar_hit and needs_quotes(raw)
        self._scalar, self._scalar_hit = [], False
        return f'"{escape(out)}"' if quoted else out
