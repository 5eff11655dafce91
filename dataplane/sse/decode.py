r"""Incremental decoder of server-sent events (WHATWG HTML, section 9.2.6 "Interpreting an event stream").

Strategy: line ends are normalised as bytes arrive (\r\n, \r and \n, and nothing else, end a line: U+2028 inside a
JSON payload does not), then events are cut at blank lines. Each byte is looked at once for a boundary.
Guarantees: the events are the same however the bytes are cut; memory stays within `max_event_bytes` plus one chunk.
Limits: `id` and `retry` fields are dropped, comments too: no model provider gives them a meaning we may pass on.
"""

from __future__ import annotations

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event: its type (empty = "message") and its data lines joined by newlines, as UTF-8 bytes."""

    event: bytes
    data: bytes


class SseError(Exception):
    """The stream holds an event larger than the decoder may keep."""


class SseDecoder:
    """Turns bytes into events. `max_event_bytes` bounds one event, terminated or not."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._buffer = bytearray()
        self._searched = 0
        self._started = False
        self._after_cr = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take the next bytes, return the events they complete. Raises SseError when an event is too large."""
        self._buffer += self._normalise(data)
        if not self._started and not self._skip_bom():
            return []
        events = [event for event in map(_parse, self._blocks()) if event is not None]
        # One byte more than an event may have: the first half of the blank line that would end it.
        if len(self._buffer) > self._max + 1:
            raise SseError(f"an event is larger than {self._max} bytes")
        return events

    def finish(self) -> list[SseEvent]:
        """End of stream: an event without its blank line counts, as some providers leave the last one out."""
        event = _parse(bytes(self._buffer))
        self._buffer.clear()
        return [] if event is None else [event]

    def _skip_bom(self) -> bool:
        if len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer):
            return False
        self._started = True
        if self._buffer.startswith(_BOM):
            del self._buffer[: len(_BOM)]
        return True

    def _blocks(self) -> list[bytes]:
        blocks, start = [], 0
        end = self._buffer.find(b"\n\n", self._searched)
        while end >= 0:
            if end - start > self._max:
                raise SseError(f"an event is larger than {self._max} bytes")
            blocks.append(bytes(self._buffer[start:end]))
            start = end + 2
            end = self._buffer.find(b"\n\n", start)
        del self._buffer[:start]
        self._searched = max(0, len(self._buffer) - 1)
        return blocks

    def _normalise(self, data: bytes) -> bytes:
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" not in data:
            return data
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _parse(block: bytes) -> SseEvent | None:
    if block.startswith(b"data: ") and b"\n" not in block:
        return SseEvent(b"", block[6:])
    kind, data = b"", []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            kind = value
    return SseEvent(kind, b"\n".join(data)) if data else None
