"""What is known of one request, folded from its audit entries in whatever order they arrive. Pure.

Entries of one request come from several journals: the control plane's, and one per data-plane process that
served an attempt. Folding is commutative (tested), so neither order nor delay changes the result. A request
is final once its answer went to the client, once it was refused or abandoned, or once the sweeper found it
silent for long enough.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from kagamipb.ledger.v1.ledger_pb2 import (
    OUTCOME_QUOTA_CUT,
    OUTCOME_UNSPECIFIED,
    OUTCOME_WORKER_LOST,
    Abandoned,
    Admitted,
    AuditEntry,
    Closed,
    Denied,
    Extended,
    Extension,
    Opened,
    Outcome,
)

from controlplane.domain.reservation import Reservation, ReservationError, decode
from controlplane.domain.usage import NOTHING, Usage

PICO_PER_MICRO = 1_000_000
OPEN = "open"
DENIED = "denied"
ABANDONED = "abandoned"


@dataclass(slots=True)
class Attempt:
    """One attempt at one provider by one data-plane process.

    Hashes in hexadecimal; JSON-able as it stands.
    """

    attempt: int
    writer: str
    provider: str = ""
    model: str = ""
    opened: bool = False
    outcome: int = OUTCOME_UNSPECIFIED
    final: bool = False
    provider_status: int = 0
    client_status: int = 0
    code: str = ""
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_pico_usd: int = 0
    request_pii: dict[str, int] = field(default_factory=dict)
    response_pii: dict[str, int] = field(default_factory=dict)
    request_received_sha256: str = ""
    request_sent_sha256: str = ""
    response_received_sha256: str = ""
    response_sent_sha256: str = ""
    seq: int = 0
    link: str = ""
    first_byte_micros: int = 0
    duration_micros: int = 0
    uninspected_parts: int = 0
    restored: int = 0
    reported: bool = False
    """Whether the provider counted the tokens."""

    @property
    def closed(self) -> bool:
        """Whether it ended, one way or another."""
        return self.outcome != OUTCOME_UNSPECIFIED

    @property
    def lost(self) -> bool:
        """Whether what it used will never be known."""
        return self.outcome == OUTCOME_WORKER_LOST and self.opened

    @property
    def counted(self) -> bool:
        """Whether the provider told how much it used; of a stream that was cut it told no more than a part."""
        return self.reported and self.outcome != OUTCOME_QUOTA_CUT

    @property
    def cost_micro_usd(self) -> int:
        """Rounded up once per attempt."""
        return -(-self.cost_pico_usd // PICO_PER_MICRO)


@dataclass(slots=True)
class Record:
    """One request: the row the ledger keeps."""

    request_id: str
    at_micros: int = 0
    tenant: str = ""
    key_id: str = ""
    end_user: str = ""
    model: str = ""
    path: str = ""
    policy: str = ""
    http_status: int = 0
    code: str = ""
    outcome: str = OPEN
    admitted: bool = False
    final: bool = False
    reservation: str = ""
    holder: str = ""
    input_estimate: int = 0
    charged: list[int] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    """`<id> <reservation>` each, in the order heard of."""
    freed: int = 0
    """So many of them, from the first, hold nothing any more."""
    attempts: dict[tuple[int, str], Attempt] = field(default_factory=dict)
    counted: Usage = NOTHING
    """What reports count of it already."""

    @property
    def cost_micro_usd(self) -> int:
        """What the attempts cost together."""
        return sum(attempt.cost_micro_usd for attempt in self.attempts.values())

    def held(self) -> Reservation | None:
        """The parsed reservation; None when the request holds nothing (or names something unreadable)."""
        try:
            return decode(self.reservation) if self.reservation else None
        except ReservationError:
            return None

    def extended(self, since: int = 0) -> list[Reservation]:
        """The parsed extensions from number `since` on, without unreadable ones."""
        found = []
        for text in self.extensions[since:]:
            with contextlib.suppress(ReservationError):
                found.append(decode(text.partition(" ")[2]))
        return found


def fold(record: Record, entry: AuditEntry, writer: str, seq: int, link: bytes) -> None:
    """Add what one entry says. `writer`, `seq` and `link` say where it stands."""
    at = entry.at_unix_micros
    record.at_micros = min(record.at_micros or at, at)
    kind = entry.WhichOneof("event")
    if kind == "admitted":
        _admitted(record, entry.admitted)
    elif kind == "denied":
        _denied(record, entry.denied)
    elif kind == "opened":
        _opened(_attempt(record, entry.opened.attempt, writer), record, entry.opened, seq, link)
    elif kind == "closed":
        _closed(_attempt(record, entry.closed.attempt, writer), record, entry.closed, seq, link)
    elif kind == "abandoned":
        _abandoned(record, entry.abandoned)
    elif kind == "extended":
        _extended(record, entry.extended)
    conclude(record)


def conclude(record: Record) -> None:
    """Derive outcome and status from the attempts; the latest that ended speaks for the request, a lost one
    last.
    """
    ended = [attempt for attempt in record.attempts.values() if attempt.closed]
    if not ended:
        return
    record.final = record.final or any(attempt.final for attempt in ended)
    last = max(ended, key=lambda a: (not a.lost, a.final, a.attempt, a.writer))
    if record.final:
        record.outcome = Outcome.Name(last.outcome).removeprefix("OUTCOME_").lower()
        record.http_status, record.code = last.client_status, last.code


def _attempt(record: Record, number: int, writer: str) -> Attempt:
    return record.attempts.setdefault((number, writer), Attempt(number, writer))


def _known(record: Record, **values: str) -> None:
    """Fields several entries repeat: the first one that names it counts, and they all name the same."""
    for name, value in values.items():
        if value and not getattr(record, name):
            setattr(record, name, value)
            if name == "reservation" and (held := record.held()):
                record.holder, record.charged = held.owner, [0] * len(held.holds)


def _admitted(record: Record, event: Admitted) -> None:
    record.admitted = True
    _known(record, tenant=event.tenant, key_id=event.key_id, end_user=event.user, path=event.path)
    _known(record, policy=event.policy, reservation=event.reservation_id)
    record.input_estimate = event.input_estimate
    record.model = event.model or record.model  # the route's name, where attempts know the provider's


def _denied(record: Record, event: Denied) -> None:
    _known(record, tenant=event.tenant, key_id=event.key_id, model=event.model, path=event.path)
    record.outcome = DENIED if event.http_status >= 400 else "answered"
    record.http_status, record.code, record.final = event.http_status, event.code, True


def _abandoned(record: Record, event: Abandoned) -> None:
    _known(record, tenant=event.tenant, reservation=event.reservation_id)
    record.final = True
    if record.outcome == OPEN:
        record.outcome = ABANDONED


def _extended(record: Record, event: Extended) -> None:
    _known(record, tenant=event.tenant, reservation=event.reservation_id)
    _extend(record, event.extension)


def _extend(record: Record, extension: Extension) -> None:
    text = f"{extension.id} {extension.reservation_id}"
    if extension.reservation_id and text not in record.extensions:
        record.extensions.append(text)


def _opened(attempt: Attempt, record: Record, event: Opened, seq: int, link: bytes) -> None:
    _known(record, tenant=event.tenant, key_id=event.key_id, policy=event.policy)
    _known(record, reservation=event.reservation_id)
    if not record.admitted:
        _known(record, model=event.model)
    attempt.opened = True
    attempt.provider, attempt.model = event.provider, event.model
    attempt.request_pii = dict(event.request_pii)
    attempt.request_received_sha256 = event.request_received_sha256.hex()
    attempt.request_sent_sha256 = event.request_sent_sha256.hex()
    attempt.uninspected_parts = event.uninspected_parts
    _place(attempt, seq, link)


def _closed(attempt: Attempt, record: Record, event: Closed, seq: int, link: bytes) -> None:
    _known(record, tenant=event.tenant, reservation=event.reservation_id)
    if not record.admitted:
        _known(record, model=event.model)
    for extension in event.extensions:
        _extend(record, extension)
    attempt.provider, attempt.model = event.provider or attempt.provider, event.model or attempt.model
    attempt.outcome, attempt.final, attempt.code = event.outcome, event.final, event.code
    attempt.provider_status, attempt.client_status = event.provider_status, event.client_status
    attempt.input_tokens, attempt.cached_input_tokens = event.usage.input_tokens, event.usage.cached_input_tokens
    attempt.output_tokens, attempt.reasoning_tokens = event.usage.output_tokens, event.usage.reasoning_tokens
    attempt.reported = event.usage.reported
    attempt.cost_pico_usd, attempt.restored = event.cost_pico_usd, event.restored
    attempt.response_pii = dict(event.response_pii)
    attempt.response_received_sha256 = event.response_received_sha256.hex()
    attempt.response_sent_sha256 = event.response_sent_sha256.hex()
    attempt.first_byte_micros, attempt.duration_micros = event.first_byte_micros, event.duration_micros
    _place(attempt, seq, link)


def _place(attempt: Attempt, seq: int, link: bytes) -> None:
    """The latest entry of the attempt: that of `Closed`, which follows its `Opened` in the same chain."""
    if seq > attempt.seq:
        attempt.seq, attempt.link = seq, link.hex()
