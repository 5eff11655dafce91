"""Audit entries of the data plane, as canonical bytes.

An entry holds who, where, how much and hashes; never text. Serialisation is deterministic, for the bytes are what is
linked, shipped and verified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Closed, Extended, Extension, Opened, Outcome, Usage

from dataplane.exchange.context import Attempt
from dataplane.exchange.events import MoreAnswered


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended.

    Hashes are of the answer's bytes up to its end (of a stream: the piece that holds [DONE]; as sent: without the
    comment that names this record), empty where there was no answer.
    """

    outcome: Outcome
    final: bool
    client_status: int = 0
    provider_status: int = 0
    code: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_pico_usd: int = 0
    received_sha256: bytes = b""
    sent_sha256: bytes = b""
    pii: Mapping[str, int] = field(default_factory=dict)
    restored: int = 0
    first_byte_micros: int = 0
    duration_micros: int = 0
    extensions: Sequence[MoreAnswered] = ()
    """Everything granted beyond the reservation."""


def opened(
    attempt: Attempt,
    now: int,
    *,
    stream: bool,
    received_sha256: bytes,
    sent_sha256: bytes,
    pii: Mapping[str, int],
    uninspected: int,
) -> bytes:
    """The entry that precedes a call to a provider; `now` in Unix microseconds."""
    context = attempt.context
    event = Opened(
        attempt=attempt.number,
        tenant=context.tenant,
        key_id=context.key_id,
        provider=attempt.target.provider,
        model=attempt.target.model,
        policy=context.policy.name,
        policy_version=context.policy.version,
        stream=stream,
        request_received_sha256=received_sha256,
        request_sent_sha256=sent_sha256,
        request_pii=pii,
        reservation_id=context.reservation_id,
        chain_length=len(context.chain),
        uninspected_parts=uninspected,
    )
    return _bytes(AuditEntry(request_id=context.request_id, at_unix_micros=now, opened=event))


def closed(attempt: Attempt, now: int, end: End) -> bytes:
    """The entry that ends an attempt; `now` in Unix microseconds."""
    context, target = attempt.context, attempt.target
    event = Closed(
        attempt=attempt.number,
        outcome=end.outcome,
        provider_status=end.provider_status,
        client_status=end.client_status,
        code=end.code,
        usage=end.usage,
        cost_pico_usd=end.cost_pico_usd,
        response_received_sha256=end.received_sha256,
        response_sent_sha256=end.sent_sha256,
        response_pii=end.pii,
        first_byte_micros=end.first_byte_micros,
        duration_micros=end.duration_micros,
        final=end.final,
        provider=target.provider,
        reservation_id=context.reservation_id,
        tenant=context.tenant,
        model=target.model,
        price_version=target.prices.version,
        restored=end.restored,
        extensions=[_extension(one) for one in end.extensions],
    )
    return _bytes(AuditEntry(request_id=context.request_id, at_unix_micros=now, closed=event))


def extended(attempt: Attempt, now: int, more: MoreAnswered) -> bytes:
    """The entry that precedes the use of an extension; `now` in Unix microseconds."""
    context = attempt.context
    event = Extended(tenant=context.tenant, reservation_id=context.reservation_id, extension=_extension(more))
    return _bytes(AuditEntry(request_id=context.request_id, at_unix_micros=now, extended=event))


def _extension(more: MoreAnswered) -> Extension:
    return Extension(id=more.extension_id, reservation_id=more.reservation_id, output_tokens=more.output_tokens)


def lost(entry: AuditEntry, now: int) -> bytes:
    """What a successor writes for an attempt that its dead predecessor had opened. What was used is not known."""
    before = entry.opened
    event = Closed(
        attempt=before.attempt,
        outcome=Outcome.OUTCOME_WORKER_LOST,
        provider=before.provider,
        reservation_id=before.reservation_id,
        tenant=before.tenant,
        model=before.model,
        duration_micros=max(0, now - entry.at_unix_micros),
        final=before.attempt >= before.chain_length,
    )
    return _bytes(AuditEntry(request_id=entry.request_id, at_unix_micros=now, closed=event))


def _bytes(entry: AuditEntry) -> bytes:
    data: bytes = entry.SerializeToString(deterministic=True)
    return data
