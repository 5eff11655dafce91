"""The provider's response on its way to the client: judged, redacted, hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from kagamipb.ledger.v1.ledger_pb2 import Usage

from dataplane.dialects.model import Measure
from dataplane.errors import ProviderError
from dataplane.exchange import headers
from dataplane.exchange.effects import SendHeaders
from dataplane.exchange.events import ResponseHeaders
from dataplane.exchange.inflate import Decoder, decoder
from dataplane.exchange.limits import Limits
from dataplane.exchange.meter import Meter
from dataplane.exchange.outbound import Outbound
from dataplane.exchange.relay import Pieces, RefusalRelay, Relay, StreamRelay, WholeRelay
from dataplane.exchange.usage import used
from dataplane.exchange.verdict import Verdict, judge


class Inbound:
    """One response. Raises ProviderError and its like when the provider's status or headers are no answer."""

    def __init__(self, outbound: Outbound, event: ResponseHeaders, limits: Limits) -> None:
        self._outbound, self._headers = outbound, event.headers
        self.verdict = judge(status_of(event), event.headers, stream=outbound.request.stream)
        if event.end and self.verdict is not Verdict.REFUSAL:
            raise ProviderError("The provider's answer is empty.")
        context = outbound.attempt.context
        asked = filter(None, (context.max_output_tokens, outbound.request.output_limit))
        self.meter = Meter(context.paid_output_tokens if self.streaming else 0, min(asked, default=0))
        self._cut = False
        self._relay = self._start(status_of(event), limits)
        self._received, self._sent = hashlib.sha256(), hashlib.sha256()

    def _start(self, status: int, limits: Limits) -> Relay:
        dialect, redaction = self._outbound.attempt.dialect, self._outbound.redaction
        if self.verdict is Verdict.STREAMING:
            stream = dialect.stream(self._outbound.request, redaction, max_lanes=limits.max_lanes)
            plain, model = self._plain(limits.max_event_bytes), self._outbound.attempt.target.model
            return StreamRelay(stream, plain, limits.max_event_bytes, self.meter, model)
        plain = self._plain(limits.max_response_bytes)
        if self.verdict is Verdict.WHOLE:
            return WholeRelay(dialect, redaction, plain, limits.max_response_bytes)
        return RefusalRelay(dialect, status, plain)

    def _plain(self, limit: int) -> Decoder:
        return decoder(self._headers.get("content-encoding", b""), limit)

    def head(self) -> SendHeaders:
        """The response's head for the client."""
        out = self._outbound
        streaming = self.streaming
        added = headers.exchange_headers(out.attempt, out.received_sha256.hex(), out.pii)
        made, removed = headers.to_client(self._headers, added, stream=streaming)
        self._headers = {}
        return SendHeaders(made, removed, whole=not streaming)

    def steps(self, data: bytes, *, end: bool) -> Pieces:
        """Take the next piece of the body, return the client's. Raises what `relay` raises."""
        self._received.update(data)
        piece = yield from self._relay.steps(data, end=end)
        self._sent.update(piece.data)
        return piece

    def say(self, data: bytes) -> None:
        """Count bytes of our own among what the client gets."""
        self._sent.update(data)

    def used(self) -> Usage:
        """What to settle; nothing for a refusal."""
        if self.verdict is Verdict.REFUSAL:
            return Usage()
        out = self._outbound
        usage = used(self._relay.usage, out.request.measure, self._relay.measure, out.attempt.target.model)
        if self._cut:
            # The event with which it was found out may go a little beyond what is paid for; the settlement may not.
            usage.output_tokens = min(usage.output_tokens, self.meter.paid)
            usage.reasoning_tokens = min(usage.reasoning_tokens, usage.output_tokens)
        return usage

    def cut(self, *, error: bytes = b"") -> bytes:
        """End a stream whose budget is used up: at its limit, or with an error event. Raises what `relay` raises."""
        assert isinstance(self._relay, StreamRelay)
        self._cut = True
        said = self._relay.cut(error=error)
        self._sent.update(said)
        return said

    @property
    def beyond_limit(self) -> bool:
        """Whether the provider counted more output than it was asked for."""
        clamp, usage = self._outbound.attempt.context.max_output_tokens, self._relay.usage
        return usage is not None and 0 < clamp < usage.output

    @property
    def streaming(self) -> bool:
        """Whether bytes reach the client as they come."""
        return self.verdict is Verdict.STREAMING

    @property
    def restored(self) -> int:
        """Placeholders turned back into what they stood for."""
        return self._outbound.redaction.restored if self._outbound.redaction else 0

    @property
    def pii(self) -> Mapping[str, int]:
        """Redactions per entity in the response."""
        redaction = self._outbound.redaction
        return redaction.response_counts if redaction else {}

    @property
    def hashes(self) -> tuple[bytes, bytes]:
        """SHA-256 of the body as received and as sent, so far."""
        return self._received.digest(), self._sent.digest()


def status_of(event: ResponseHeaders) -> int:
    """The HTTP status; 0 when there is none, which no verdict accepts."""
    value = event.headers.get(":status", b"")
    return int(value) if value.isdigit() and len(value) == 3 else 0


def unanswered(request: Measure, model: str) -> Usage:
    """Usage of an attempt whose client left before the answer: the provider has read the prompt all the same."""
    return used(None, request, Measure(), model)
