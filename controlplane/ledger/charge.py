"""What a request is charged, what reports count of it, and what it lets go of. Pure.

What is charged for a request is, hold by hold, what its attempts used. Use that will never be known, because
a data plane died, is charged as the rest of the hold: the provider may have been that generous, and a cap
must hold. Use that nobody counted, because an answer was cut, is estimated, and never charged beyond the hold:
the hold paid for all that the provider was allowed.

A hold may have been extended on the way, by any replica; several entries tell of the same extension, and it is
freed once. It counts as part of the hold.
"""

from __future__ import annotations

from kagamipb.admin.v1.admin_pb2 import (
    UNIT_CONCURRENT_REQUESTS,
    UNIT_INPUT_TOKENS,
    UNIT_MICRO_USD,
    UNIT_OUTPUT_TOKENS,
    UNIT_REQUESTS,
)

from controlplane.domain.reservation import Hold
from controlplane.domain.settlement import Settlement
from controlplane.domain.usage import NOTHING, Usage
from controlplane.ledger.record import Attempt, Record


def settle(record: Record, settlement: Settlement) -> None:
    """Charge what a final request used and was not charged yet, and let go of what it held. Idempotent."""
    if not record.final:
        return
    for extension in record.extended(record.freed):
        for hold in extension.holds:
            settlement.release(hold.key, extension.owner, hold.amount)
    record.freed = len(record.extensions)
    reservation = record.held()
    if reservation is None:
        return
    for index, hold in enumerate(reservation.holds):
        used = actual(record, hold)
        settlement.charge(hold.key, used - record.charged[index])
        record.charged[index] = used
        if record.holder:
            settlement.release(hold.key, record.holder, hold.amount)
    record.holder = ""


def actual(record: Record, hold: Hold) -> int:
    """What the request used of a hold, so far as is known."""
    if hold.unit == UNIT_CONCURRENT_REQUESTS:
        return 0
    attempts = [a for a in record.attempts.values() if not hold.provider or a.provider == hold.provider]
    if hold.unit == UNIT_REQUESTS:
        return 1 if any(_counts(a, hold) for a in attempts) else 0
    held = _held(record, hold)
    counted = sum(_used(attempt, hold) for attempt in attempts if attempt.counted)
    if any(a.lost for a in attempts):
        return max(counted, held)
    guessed = sum(_used(attempt, hold) for attempt in attempts if not attempt.counted)
    return max(counted, min(counted + guessed, held))


def _held(record: Record, hold: Hold) -> int:
    """The hold with what it was extended by."""
    holds = [other for extension in record.extended() for other in extension.holds]
    return hold.amount + sum(h.amount for h in holds if h.key == hold.key and h.provider == hold.provider)


def usage(record: Record) -> Usage:
    """What reports count: nothing before both its admission and its end are known. Use of an attempt that was lost,
    which quotas are charged for, is not known.
    """
    if not (record.admitted and record.final):
        return NOTHING
    attempts = record.attempts.values()
    return Usage(
        1 if any(attempt.opened or attempt.provider_status for attempt in attempts) else 0,
        sum(attempt.input_tokens for attempt in attempts),
        sum(attempt.cached_input_tokens for attempt in attempts),
        sum(attempt.output_tokens for attempt in attempts),
        sum(attempt.reasoning_tokens for attempt in attempts),
        record.cost_micro_usd,
    )


def _counts(attempt: Attempt, hold: Hold) -> bool:
    """Whether an attempt makes a request count: any that reached a provider, and for a quota of one provider those it
    answered, or may have answered.
    """
    if hold.provider and not attempt.lost:
        return 200 <= attempt.provider_status < 300
    return attempt.opened or attempt.provider_status > 0


def _used(attempt: Attempt, hold: Hold) -> int:
    if hold.unit == UNIT_MICRO_USD:
        return attempt.cost_micro_usd
    if hold.unit == UNIT_INPUT_TOKENS:
        return attempt.input_tokens
    if hold.unit == UNIT_OUTPUT_TOKENS:
        return attempt.output_tokens
    return attempt.input_tokens + attempt.output_tokens
