"""Admits requests out of leased budget: in memory when the lease suffices, else after one shared trip to the
database.

One task carries everyone's needs to PostgreSQL, one exchange at a time, so that a thousand waiting requests
cost one transaction. Near a cap a request waits up to `patience` for room that others are about to free
(replicas give back what they do not use, settled requests free what they did not need) and is refused at
once when no waiting can help.

Windows begin and end by the database's clock, whatever the replica's own says.

When the database is away, requests are admitted while leases last and are still this replica's own for
certain; then they get `Unavailable`. An exchange whose reply was lost is repeated under its number and
counts once.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from controlplane.domain import ports
from controlplane.domain import quota as arithmetic
from controlplane.domain.clock import Offset
from controlplane.domain.ports import Demand, Exhausted, Granted, Growth, Unavailable
from controlplane.domain.reservation import ReservationError, decode
from controlplane.domain.snapshot import Snapshot
from controlplane.ledger.leases import Leases, Round, Waiter
from controlplane.ledger.pools import Request, countable, exhausted, limits, tightest, unmetered
from controlplane.ledger.scopes import Scopes
from controlplane.store.quota import Note, OwnerLostError, QuotaStore

log = structlog.get_logger()

PATIENCE = 1.2
"""Seconds a request waits for room. With `SLACK` it has to stay below the time Envoy gives ext_authz for one try (2 s):
past it Envoy asks another replica, and the request would wait, and hold budget, twice."""
SHORT_PATIENCE = 0.5
"""The same where only other replicas' unused leases could help."""
POLL = 0.1
"""Seconds until those who wait ask again, should no note arrive."""
LEAST_PAUSE = 0.01
SLACK = 0.5
"""Seconds beyond its patience for the last exchange on a request's behalf."""
TICK = 1.0
CLOCK_SECONDS = 10.0
"""Seconds between looks at the database's clock."""
FIRST_READINGS = 4
MARGIN = 2.0
"""Leases are trusted this many seconds less than the database keeps them."""
MOST_WAITERS = 256
"""Requests that may wait for one quota window; more are refused, so that a flood cannot pile up."""

_FAILURES = (SQLAlchemyError, psycopg.Error, OSError, TimeoutError)
_NO_QUOTA = Granted("", 0)


class LeasedQuotaGate(ports.QuotaGate):
    """Implements `ports.QuotaGate`. Run `run` as a task; `close` afterwards."""

    def __init__(
        self,
        store: QuotaStore,
        snapshot: Callable[[], Snapshot | None],
        node: str,
        *,
        patience: float = PATIENCE,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`node`: stable identity of this replica, used by no other (the name of its journal)."""
        self._store, self._snapshot, self._node, self._patience = store, snapshot, node, patience
        self._monotonic, self._wall = monotonic, wall
        self._leases = Leases()
        self._scopes = Scopes(self._leases, monotonic)
        self._clock, self._clock_at = Offset(), float("-inf")
        self._timed = asyncio.Event()
        self._op = 0
        self._pending: Round | None = None
        self._valid_until = float("-inf")
        self._renew_at = float("-inf")
        self._wake = asyncio.Event()
        self._failed = False
        self.trips = 0
        """Exchanges with the database so far."""

    @property
    def owner(self) -> str:
        """This process's name in the lease tables; empty before the first exchange."""
        return self._leases.owner

    async def reserve(self, demand: Demand, now: float) -> ports.Reservation:
        """See `ports.QuotaGate`."""
        snapshot = self._snapshot()
        if snapshot is None:
            return Unavailable()
        scope = self._scopes.of(snapshot, demand, now + self._clock.seconds)
        if not scope.tracked:
            return _NO_QUOTA
        if not (self._timed.is_set() or self._failed):  # only right after the start
            await self._until_timed()
            scope = self._scopes.of(snapshot, demand, now + self._clock.seconds)
        request, mono = Request(demand, scope.tracked, scope.units, scope.pools), self._monotonic()
        reply = self._admit(request, mono) or await self._ask(request, mono)
        if scope.rated and not isinstance(reply, Unavailable):
            return reply._replace(limits=limits(scope.rated))
        return reply

    async def extend(self, growth: Growth) -> ports.Reservation:
        """See `ports.QuotaGate`."""
        snapshot = self._snapshot()
        if snapshot is None:
            return Unavailable()
        try:
            tracked = self._scopes.extended(snapshot, growth)
        except ReservationError:
            return Unavailable()
        if not tracked:
            return _NO_QUOTA._replace(paid_output_tokens=growth.output_tokens)
        units, pools = tuple(one.quota.unit for one in tracked), tuple(one.pool for one in tracked)
        tenant = snapshot.tenants.get(growth.tenant)
        demand = arithmetic.growth_demand(growth)._replace(unmetered=bool(tenant and tenant.unmetered))
        request, mono = Request(demand, tracked, units, pools), self._monotonic()
        reply = self._admit(request, mono) or await self._ask(request, mono, at_once=True)
        if isinstance(reply, Granted) and reply.unmetered:
            return reply._replace(paid_output_tokens=growth.output_tokens)
        return reply

    def _admit(self, request: Request, mono: float) -> Granted | None:
        """Out of what is leased: how nearly every request is answered."""
        if mono >= self._valid_until:
            return None
        granted = self._leases.admit(request, mono, last_of_it=self._failed)
        if granted and self._leases.top_up:
            self._wake.set()
        return granted

    async def _ask(self, request: Request, mono: float, *, at_once: bool = False) -> ports.Reservation:
        if self._failed and (at_once or request.demand.unmetered):
            return self._leases.refuse(request, mono) or unmetered(request)
        return self._leases.refuse(request, mono) or await self._wait(request, mono, at_once=at_once)

    def cancel(self, granted: Granted) -> None:
        """See `ports.QuotaGate`."""
        with contextlib.suppress(ReservationError):
            self._leases.give_back(decode(granted.reservation_id))

    async def run(self) -> None:
        """Carry needs to the database and hear what others need, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._carry())
            tasks.create_task(self._hear())

    async def retire_predecessors(self) -> None:
        """Take back what earlier processes of this node had leased.

        Call once their journal is shipped whole.
        """
        for owner in await self._store.owners(node=self._node):
            if owner != self._leases.owner and await self._store.retire(owner):
                log.info("quota.predecessor_retired", owner=owner)

    async def close(self) -> None:
        """Give back every lease that is free. Call after `run` was cancelled; a failure costs only time."""
        self._leases.return_all()
        try:
            if self._pending is not None:
                await self._exchange()
                self._leases.return_all()
            await self._exchange()
        except _FAILURES as error:
            log.warning("quota.not_returned", reason=type(error).__name__)

    def heard(self, note: Note) -> None:
        """Room was freed, or another replica waits for some."""
        if note.freed:
            tracked = self._leases.tracked.get(note.key)
            if tracked is not None and tracked.waiting:
                self._wake.set()
        elif note.owner != self._leases.owner and self._leases.want_back(note.key):
            self._wake.set()

    async def _wait(self, request: Request, mono: float, *, at_once: bool) -> ports.Reservation:
        crowded = next((t for t in request.tracked if t.waiting >= MOST_WAITERS), None)
        if crowded is not None:
            return exhausted(crowded)
        patience = min(self._patience, SHORT_PATIENCE) if countable(request) else self._patience
        future: asyncio.Future[Granted | Exhausted | None] = asyncio.get_running_loop().create_future()
        waiter = Waiter(request, mono + patience, future.set_result, squeeze=at_once)
        self._leases.join(waiter)
        self._wake.set()
        answered, trips = False, self.trips
        try:
            async with asyncio.timeout(patience + SLACK):
                reply = await future
            answered = True
        except TimeoutError:
            # Heard of the database, but not of room: the quota is contended. Not heard of it: nobody knows.
            reply = exhausted(tightest(request)) if self.trips > trips else None
        finally:
            self._leases.leave(waiter)
            if not answered and future.done() and not future.cancelled():
                self._unclaimed(future.result())
        return reply or unmetered(request)

    def _unclaimed(self, reply: Granted | Exhausted | None) -> None:
        """An answer that came in the very moment nobody waited for it any more."""
        if isinstance(reply, Granted):
            self.cancel(reply)

    async def _carry(self) -> None:
        self._wake.set()  # the clock is read before anyone asks
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_next()):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._set_clock()
                progress = await self._exchange()
            except _FAILURES as error:
                if not self._failed:
                    log.warning("quota.database_away", reason=type(error).__name__)
                self._failed, progress = True, False
            if self._leases.waiters and not progress:
                await asyncio.sleep(LEAST_PAUSE)
            elif self._leases.waiters or self._leases.top_up:
                self._wake.set()  # asking again at once gets somebody further

    def _until_next(self) -> float:
        if not self._leases.waiters:
            return TICK
        mono = self._monotonic()
        nearest = min(waiter.deadline for waiter in self._leases.waiters) - mono
        return max(LEAST_PAUSE, min(POLL, nearest))

    async def _set_clock(self) -> None:
        """Windows begin and end by the database's clock."""
        mono = self._monotonic()
        if mono < self._clock_at:
            return
        # The first reading takes the time of connecting as well; the quickest counts.
        for _ in range(1 if self._timed.is_set() else FIRST_READINGS):
            asked = self._wall()
            self._clock.observe(asked, await self._store.now(), self._wall())
        self._clock_at = mono + CLOCK_SECONDS
        self._timed.set()

    async def _until_timed(self) -> None:
        """Without the database's clock there is no lease either: who waits in vain will be told so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._timed.wait()

    async def _exchange(self) -> bool:
        """One trip, if there is anything to say; whether anyone who waited was answered."""
        mono = self._monotonic()
        if not self._leases.owner:
            await self._register()
        if (round_ := self._pending) is None:
            round_ = self._leases.round(mono, self._wall() + self._clock.seconds)
            if not round_ and mono < self._renew_at:
                return self._leases.serve((), mono)
            self._op += 1
            self._pending = round_
        try:
            leases = await self._store.exchange(self._leases.owner, self._op, round_.gives, round_.wants)
        except OwnerLostError:
            await self._register()
            return False
        self._pending, self._failed = None, False
        self.trips += 1
        self._trust(mono)
        now = self._monotonic()
        self._leases.answer(round_, leases, now)
        return self._leases.serve(round_.waiters, now)

    async def _register(self) -> None:
        """A new name and no leases: also after the database gave ours to others."""
        if self._leases.owner:
            log.warning("quota.owner_lost", owner=self._leases.owner)
        owner, mono = f"{self._node}.{secrets.token_hex(4)}", self._monotonic()
        await self._store.register(owner, self._node)
        self._leases.lose()
        self._leases.owner, self._op, self._pending = owner, 0, None
        self._trust(mono)

    def _trust(self, asked_at: float) -> None:
        self._valid_until = asked_at + self._store.owner_seconds - MARGIN
        self._renew_at = asked_at + self._store.owner_seconds / 4

    async def _hear(self) -> None:
        """Notes only make things quicker: without them everyone asks again every `POLL` seconds."""
        while True:
            try:
                async for note in self._store.listen():
                    self.heard(note)
            except _FAILURES:
                await asyncio.sleep(TICK)
