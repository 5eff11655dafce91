"""Which quota windows a request falls under: found once per caller and window, then looked up. No I/O.

Bounded: beyond `MOST_SCOPES` callers all are found anew, as after every change of the configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kagamipb.admin.v1.admin_pb2 import Unit

from controlplane.domain import quota as arithmetic
from controlplane.domain.matching import QuotaBook
from controlplane.domain.ports import Demand, Growth
from controlplane.domain.quota import Pool
from controlplane.domain.reservation import WindowKey, decode
from controlplane.domain.snapshot import Quota, Snapshot
from controlplane.domain.windows import Calendar
from controlplane.ledger.leases import Leases
from controlplane.ledger.pools import Tracked, rated

MOST_SCOPES = 20_000
"""Callers whose pools are remembered."""


class Scope(NamedTuple):
    """Everything a caller's requests fall under while one set of windows lasts."""

    tracked: tuple[Tracked, ...]
    units: tuple[Unit, ...]
    pools: tuple[Pool, ...]
    start: float
    end: float
    forgotten: int
    rated: tuple[Tracked, ...]
    """Those with a short window, which clients are told of."""


class Scopes:
    """Windows by caller, tracked in `leases`; `monotonic` gives any steady seconds."""

    def __init__(self, leases: Leases, monotonic: Callable[[], float]) -> None:
        self._leases, self._monotonic = leases, monotonic
        self._book, self._calendar = QuotaBook(), Calendar()
        self._snapshot: Snapshot | None = None
        self._scopes: dict[tuple[object, ...], Scope] = {}
        self._quotas: dict[str, dict[str, Quota]] = {}

    def of(self, snapshot: Snapshot, demand: Demand, now: float) -> Scope:
        """The pools of everything the demand falls under; `now`: Unix seconds by the database's clock."""
        if snapshot is not self._snapshot or len(self._scopes) > MOST_SCOPES:
            self._renew(snapshot)
        who = demand.tenant, demand.key_id, demand.model, demand.user, demand.providers, demand.key, demand.team
        scope = self._scopes.get(who)
        if scope is None or not scope.start <= now < scope.end or scope.forgotten != self._leases.forgotten:
            scope = self._scopes[who] = self._find(snapshot, demand, now)
        return scope

    def extended(self, snapshot: Snapshot, growth: Growth) -> tuple[Tracked, ...]:
        """The windows an extension is held in: those of the reservation, also when they have just ended, that still
        count this output. Raises ReservationError.
        """
        if snapshot is not self._snapshot:
            self._renew(snapshot)
        quotas = self._quotas.get(growth.tenant)
        if quotas is None:
            listed = snapshot.quotas.get(growth.tenant, ())
            quotas = self._quotas[growth.tenant] = {quota.quota_id: quota for quota in listed}
        tenant, mono, found = snapshot.tenants.get(growth.tenant), self._monotonic(), []
        zone = tenant.time_zone if tenant else "UTC"
        for hold in decode(growth.reservation_id).holds:
            quota = quotas.get(hold.key.quota_id)
            if quota and arithmetic.counts_output(quota.unit) and hold.provider in ("", growth.provider):
                ends = self._calendar.bounds(quota.window, zone, hold.key.start).end
                found.append(self._leases.track(quota, hold.key, ends, mono))
        return tuple(found)

    def _renew(self, snapshot: Snapshot) -> None:
        self._scopes, self._quotas, self._snapshot = {}, {}, snapshot

    def _find(self, snapshot: Snapshot, demand: Demand, now: float) -> Scope:
        matches, mono = self._book.matching(snapshot.quotas, demand), self._monotonic()
        tracked, first, last = [], float("-inf"), float("inf")
        for quota in matches.quotas:
            zone = snapshot.tenants[demand.tenant].time_zone
            start, ends = self._calendar.bounds(quota.window, zone, now)
            tracked.append(self._leases.track(quota, WindowKey(quota.quota_id, start), ends, mono))
            if ends:
                first, last = max(first, start), min(last, ends)
        pools = tuple(one.pool for one in tracked)
        return Scope(tuple(tracked), tuple(matches.units), pools, first, last, self._leases.forgotten, rated(tracked))
