"""What finished requests used, by tenant, day, key and model. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Day(NamedTuple):
    """Where a request is counted; `day` is that of its admission in the tenant's time zone."""

    tenant: str
    day: date
    key_id: str
    model: str


class Usage(NamedTuple):
    """Sums over requests."""

    requests: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_micro_usd: int = 0

    def plus(self, other: Usage) -> Usage:
        """The sum of both."""
        return Usage(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: Usage) -> Usage:
        """What is more here than there; may be negative."""
        return Usage(*(a - b for a, b in zip(self, other, strict=True)))


NOTHING = Usage()


def local_day(at_micros: int, time_zone: str) -> date:
    """The day of an instant; in UTC where the zone is not known here."""
    moment = _EPOCH + timedelta(microseconds=at_micros)
    try:
        return moment.astimezone(ZoneInfo(time_zone)).date()
    except (KeyError, OSError, ValueError):
        return moment.date()
