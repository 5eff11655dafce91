"""Quota windows as a replica keeps them in memory, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kagamipb.admin.v1.admin_pb2 import (
    UNIT_INPUT_TOKENS,
    UNIT_OUTPUT_TOKENS,
    UNIT_REQUESTS,
    UNIT_TOTAL_TOKENS,
    WINDOW_HOUR,
    WINDOW_MINUTE,
    WINDOW_ROLLING_HOUR,
    WINDOW_ROLLING_MINUTE,
    Unit,
)

from controlplane.domain import quota as arithmetic
from controlplane.domain.ports import Demand, Exhausted, Granted, RateLimit, Unavailable
from controlplane.domain.quota import Pool
from controlplane.domain.reservation import UNMETERED, Hold, Reservation, WindowKey, encode
from controlplane.domain.snapshot import Quota

_COUNTS: dict[Unit, Literal["requests", "tokens"]] = {
    UNIT_REQUESTS: "requests",
    UNIT_INPUT_TOKENS: "tokens",
    UNIT_OUTPUT_TOKENS: "tokens",
    UNIT_TOTAL_TOKENS: "tokens",
}


_SHORT = frozenset({WINDOW_MINUTE, WINDOW_HOUR, WINDOW_ROLLING_MINUTE, WINDOW_ROLLING_HOUR})


@dataclass(slots=True)
class Tracked:
    """One quota window in memory."""

    quota: Quota
    key: WindowKey
    ends: int
    pool: Pool
    used_at: float
    asked_at: float
    taken: int = 0
    """Since the last answer."""
    hold: int = 0
    """Largest hold taken since the window began."""
    low: int = 0
    """Below this the lease is topped up, before anyone has to wait."""
    scarce: bool = False
    partial: bool = False
    """The last lease was all there is, and less than was needed."""
    waiting: int = 0
    heard_at: float = float("-inf")
    """Of the account."""
    returns: int = 0
    """Of a rolling window: Unix second at which something comes back; 0 = not known."""
    label: tuple[str, str] = ("", "")
    """How a hold here is written, before and after its amount."""

    @property
    def resets_at(self) -> int:
        """Unix second at which there is room again; 0 = never, or not known."""
        return self.ends or self.returns


class Request(NamedTuple):
    """A demand and the quotas it falls under, side by side."""

    demand: Demand
    tracked: tuple[Tracked, ...]
    units: tuple[Unit, ...]
    pools: tuple[Pool, ...]


def unmetered(request: Request) -> Granted | Unavailable:
    """Nobody knows whether there is room: the verdict on a demand that passes all the same, or on any other."""
    if not request.demand.unmetered:
        return Unavailable()
    most, holds = arithmetic.largest_output(request.demand), []
    for tracked, unit in zip(request.tracked, request.units, strict=True):
        amount = arithmetic.amount(request.demand, unit, most)
        holds.append(Hold(tracked.key, unit, amount, tracked.quota.provider))
    return Granted(encode(Reservation(UNMETERED, tuple(holds))), 0, unmetered=True)


def exhausted(tracked: Tracked) -> Exhausted:
    """The refusal that names this quota."""
    quota, ends = tracked.quota, float(tracked.resets_at) if tracked.resets_at else None
    return Exhausted(quota.name, quota.unit, quota.cap, ends, provider=quota.provider)


def tightest(request: Request) -> Tracked:
    """The quota that holds the request up: the first whose pool lacks the least it needs."""
    least = arithmetic.least_output(request.demand)
    for tracked, unit in zip(request.tracked, request.units, strict=True):
        if arithmetic.amount(request.demand, unit, least) > tracked.pool.free:
            return tracked
    return request.tracked[0]


def countable(request: Request) -> bool:
    """Whether a hold is all a request will ever use of some quota here: then settling frees nothing to wait
    for.
    """
    return any(
        unit == UNIT_REQUESTS and tracked.pool.free < 1
        for tracked, unit in zip(request.tracked, request.units, strict=True)
    )


def rated(tracked: Iterable[Tracked]) -> tuple[Tracked, ...]:
    """Those a client is told of: requests and tokens a minute or an hour."""
    return tuple(one for one in tracked if one.quota.unit in _COUNTS and one.quota.window in _SHORT)


def limits(rated: Iterable[Tracked]) -> tuple[RateLimit, ...]:
    """How they stand: of each kind the one with the least share left."""
    tightest: dict[str, RateLimit] = {}
    for tracked in rated:
        pool, counts = tracked.pool, _COUNTS[tracked.quota.unit]
        left = max(0, min(pool.cap, pool.free + pool.room))
        known = tightest.get(counts)
        if known is None or left * known.limit < known.remaining * pool.cap:
            tightest[counts] = RateLimit(counts, pool.cap, left, float(tracked.resets_at))
    return tuple(tightest.values())
