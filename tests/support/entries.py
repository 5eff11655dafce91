"""Audit entries and chains as tests need them: invented requests, real bytes, real links."""

from __future__ import annotations

from collections.abc import Sequence

from kagamichain.chain import START, Frame, Head, link
from kagamipb.ledger.v1.ledger_pb2 import (
    OUTCOME_COMPLETED,
    Abandoned,
    Admitted,
    AuditEntry,
    Closed,
    Denied,
    Extended,
    Extension,
    Opened,
    Usage,
)

AT = 1_750_000_000_000_000


def admitted(request_id: str, reservation: str = "", **values: object) -> AuditEntry:
    fields = {"tenant": "acme", "key_id": "key-1", "model": "chat", "path": "/v1/chat/completions", **values}
    return AuditEntry(request_id=request_id, at_unix_micros=AT, admitted=Admitted(reservation_id=reservation, **fields))


def denied(request_id: str, http_status: int = 401, code: str = "invalid_api_key") -> AuditEntry:
    return AuditEntry(request_id=request_id, at_unix_micros=AT, denied=Denied(http_status=http_status, code=code))


def opened(request_id: str, reservation: str = "", attempt: int = 1, **values: object) -> AuditEntry:
    fields = {"tenant": "acme", "key_id": "key-1", "provider": "sim", "model": "sim-1", "chain_length": 2, **values}
    event = Opened(reservation_id=reservation, attempt=attempt, **fields)
    return AuditEntry(request_id=request_id, at_unix_micros=AT + attempt, opened=event)


def closed(
    request_id: str,
    reservation: str = "",
    attempt: int = 1,
    *,
    micro_usd: int = 0,
    tokens: tuple[int, int] = (0, 0),
    outcome: int = OUTCOME_COMPLETED,
    final: bool = True,
    reported: bool = True,
    **values: object,
) -> AuditEntry:
    fields = {
        "tenant": "acme",
        "provider": "sim",
        "model": "sim-1",
        "client_status": 200,
        "provider_status": 200,
        **values,
    }
    event = Closed(
        reservation_id=reservation,
        attempt=attempt,
        outcome=outcome,
        final=final,
        cost_pico_usd=micro_usd * 1_000_000,
        usage=Usage(input_tokens=tokens[0], output_tokens=tokens[1], reported=reported),
        **fields,
    )
    return AuditEntry(request_id=request_id, at_unix_micros=AT + attempt, closed=event)


def abandoned(request_id: str, reservation: str = "") -> AuditEntry:
    return AuditEntry(
        request_id=request_id, at_unix_micros=AT, abandoned=Abandoned(reservation_id=reservation, tenant="acme")
    )


def extension(number: int, reservation: str, output_tokens: int = 100) -> Extension:
    return Extension(id=f"e{number}", reservation_id=reservation, output_tokens=output_tokens)


def extended(request_id: str, reservation: str, more: Extension) -> AuditEntry:
    event = Extended(reservation_id=reservation, tenant="acme", extension=more)
    return AuditEntry(request_id=request_id, at_unix_micros=AT, extended=event)


class Chain:
    """A writer's chain in memory."""

    def __init__(self, writer: str) -> None:
        self.writer, self.head = writer, START

    def frames(self, entries: Sequence[AuditEntry | bytes]) -> list[Frame]:
        """The next frames of the chain."""
        result = []
        for entry in entries:
            data = entry if isinstance(entry, bytes) else entry.SerializeToString(deterministic=True)
            seq = self.head.seq + 1
            self.head = Head(seq, link(self.writer, seq, self.head.link, data))
            result.append(Frame(*self.head, data))
        return result
