"""A provider's body, piece by piece, into the client's.

Three kinds, one interface: event streams are relayed as they come, whole answers and refusals are collected first.
Each `steps` is a generator that pauses between bounded slices of work; it returns what the client gets for the piece.
Guarantees: nothing is returned that did not go through redaction (unless the policy is off); memory is bounded by
`max_bytes` for whole answers and by one event for streams.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import NamedTuple, Protocol

from dataplane.dialects.model import Dialect, Measure, Stream, TokenUsage
from dataplane.errors import ProviderError
from dataplane.exchange.inflate import Decoder
from dataplane.exchange.meter import Meter
from dataplane.exchange.usage import spent
from dataplane.redaction.replace import Redaction
from dataplane.sse.decode import SseDecoder, SseError

_EVENTS_A_STEP = 16
_REFUSAL_BYTES = 65_536


class Piece(NamedTuple):
    """What the client gets; `last`: nothing will follow."""

    data: bytes
    last: bool
    starved: bool = False
    """What follows is not paid for: it waits inside the relay. With more budget, go on with `steps(b"", end=False)`;
    without, `cut`.
    """


Pieces = Generator[None, None, Piece]


class Relay(Protocol):
    """One response body on its way."""

    def steps(self, data: bytes, *, end: bool) -> Pieces:
        """Take the next piece. Raises GatewayError, Blocked, or whatever a detector raises."""

    @property
    def usage(self) -> TokenUsage | None:
        """What the provider counted, as far as it has said."""

    @property
    def measure(self) -> Measure:
        """Size of the answer so far."""


class StreamRelay:
    """An event stream."""

    def __init__(
        self, stream: Stream, decoder: Decoder, max_event_bytes: int, meter: Meter | None = None, model: str = ""
    ) -> None:
        """`model`: the provider's, by which `meter` is read."""
        self._stream, self._decoder = stream, decoder
        self._events = SseDecoder(max_event_bytes)
        self._meter, self._model = meter or Meter(0, 0), model
        self._waiting: deque[bytes] = deque()
        self._ended = False

    def steps(self, data: bytes, *, end: bool) -> Pieces:
        """See Relay."""
        shown: list[bytes] = []
        self._waiting += self._payloads(data, end=end)
        self._ended, number = self._ended or end, 0
        while self._waiting:
            if self._meter.over and not self._stream.done and self._stream.adds(self._waiting[0]):
                return Piece(b"".join(shown), last=False, starved=True)
            shown += yield from self._stream.event(self._waiting.popleft())
            if self._meter.paid:
                self._meter.note(spent(self._stream.usage, self._stream.measure, self._model))
            number += 1
            if number % _EVENTS_A_STEP == 0:
                yield
        if self._ended and not self._stream.done:
            self._decoder.finish()
            shown += yield from self._stream.finish()
        return Piece(b"".join(shown), self._stream.done)

    def cut(self, *, error: bytes = b"") -> bytes:
        """End the answer here, for the client: at its limit, or with an error event. Raises what redaction raises."""
        self._waiting.clear()
        return b"".join([*self._stream.flush(), error] if error else self._stream.cut())

    @property
    def usage(self) -> TokenUsage | None:
        """See Relay."""
        return self._stream.usage

    @property
    def measure(self) -> Measure:
        """See Relay."""
        return self._stream.measure

    def _payloads(self, data: bytes, *, end: bool) -> list[bytes]:
        try:
            events = self._events.feed(self._decoder.feed(data))
        except SseError:
            raise ProviderError("The provider's answer holds an event larger than the gateway allows.") from None
        return [event.data for event in (events + self._events.finish() if end else events)]


class WholeRelay:
    """An answer in one piece."""

    def __init__(self, dialect: Dialect, redaction: Redaction | None, decoder: Decoder, max_bytes: int) -> None:
        self._dialect, self._redaction, self._decoder, self._max = dialect, redaction, decoder, max_bytes
        self._body = bytearray()
        self._usage: TokenUsage | None = None
        self._measure: Measure | None = None

    def steps(self, data: bytes, *, end: bool) -> Pieces:
        """See Relay."""
        self._body += self._decoder.feed(data)
        if len(self._body) > self._max:
            raise ProviderError("The provider's answer is larger than the gateway allows.")
        if not end:
            return Piece(b"", last=False)
        self._decoder.finish()
        answer = self._dialect.answer(bytes(self._body))
        self._usage, self._measure = answer.usage, answer.measure
        if self._redaction is not None:
            texts = yield from answer.texts()
            answer.replace((yield from self._redaction.response_steps(texts.texts, json=texts.json)))
        return Piece(answer.encode(), last=True)

    @property
    def usage(self) -> TokenUsage | None:
        """See Relay."""
        return self._usage

    @property
    def measure(self) -> Measure:
        """See Relay. Before the end the bytes so far stand for the text."""
        return self._measure or Measure().plus(self._body.decode(errors="replace"))


class RefusalRelay:
    """A provider's 400, 413 or 422, of which only the beginning is kept."""

    usage: TokenUsage | None = None
    measure = Measure()

    def __init__(self, dialect: Dialect, status: int, decoder: Decoder) -> None:
        self._dialect, self._status, self._decoder = dialect, status, decoder
        self._body = bytearray()

    def steps(self, data: bytes, *, end: bool) -> Pieces:
        """See Relay. Ends by raising what the refusal means."""
        yield from ()
        self._body += self._decoder.feed(data)[: _REFUSAL_BYTES - len(self._body)]
        if end:
            raise self._dialect.refusal(self._status, bytes(self._body))
        return Piece(b"", last=False)
