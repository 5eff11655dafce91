"""A replica's leases in memory: what is free, who waits, and what to ask the database for. No I/O, no clock.

The gate asks `Leases` to admit; what does not fit at once becomes a `Waiter`. From time to time the gate
takes a `Round` (everything to give back and to ask for), carries it to the database and brings the answer;
waiters are then served in the order they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from controlplane.domain import quota as arithmetic
from controlplane.domain.ports import Exhausted, Granted
from controlplane.domain.quota import Plan, Pool
from controlplane.domain.reservation import Reservation, WindowKey, label
from controlplane.domain.snapshot import Quota
from controlplane.domain.windows import rolls
from controlplane.ledger.pools import Request, Tracked, exhausted, tightest
from controlplane.store.quota import Lease, Want

HORIZON = 20.0
"""Seconds of demand a lease is meant to last for, where there is room."""
BURST = 8
"""A lease asks for at least this many of the largest hold taken from it."""
SCARCE = 16
"""Room for fewer holds than this is scarce: nothing is leased beyond need, and what is not needed goes back.
"""
IDLE = 60.0
"""Seconds without use after which a lease goes back."""
FORGET = 600.0
"""Seconds without use after which a window is not remembered."""
TIDY = 5.0
"""Seconds between looks at every lease."""
FRESH = 1.0
"""Seconds for which a rolling window is refused as it was when last heard of."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A request without enough free lease."""

    request: Request
    deadline: float
    reply: Callable[[Granted | Exhausted | None], None]
    """Called once; None = no answer can be had from the database."""
    squeeze: bool = False
    """It waited long enough, or was never to wait: it takes what there is."""


@dataclass(slots=True)
class Round:
    """One exchange with the database."""

    gives: dict[WindowKey, int] = field(default_factory=dict)
    wants: dict[WindowKey, Want] = field(default_factory=dict)
    waiters: list[Waiter] = field(default_factory=list)
    """Those whose needs are part of it."""

    def __bool__(self) -> bool:
        return bool(self.gives or self.wants)


class Leases:
    """Every pool of one replica and everyone who waits for one."""

    def __init__(self) -> None:
        self.tracked: dict[WindowKey, Tracked] = {}
        self.waiters: list[Waiter] = []
        self.owner = ""
        self.forgotten = 0
        """Rises whenever a window is not tracked any more."""
        self.top_up: dict[WindowKey, Tracked] = {}
        self._returning: dict[WindowKey, Tracked] = {}
        self._tidy_at = 0.0

    def track(self, quota: Quota, key: WindowKey, ends: int, mono: float) -> Tracked:
        """The window's pool, empty when it is new here."""
        found = self.tracked.get(key)
        if found is None:
            found = self.tracked[key] = Tracked(quota, key, ends, Pool(quota.cap), mono, mono)
            found.label = label(key, quota.unit, quota.provider)
        elif found.quota is not quota:
            found.quota, found.pool.cap = quota, quota.cap
        return found

    def admit(self, request: Request, mono: float, *, last_of_it: bool = False) -> Granted | None:
        """Out of what is free; None when that is not enough.

        `last_of_it`: there will be no more, make it do.
        """
        plan = arithmetic.plan(request.demand, request.units, request.pools)
        if plan is None and last_of_it:
            plan = arithmetic.squeeze(request.demand, request.units, request.pools)
        return self._take(request, plan, mono) if plan else None

    def refuse(self, request: Request, mono: float) -> Exhausted | None:
        """A refusal that no waiting can change; None while there is hope.

        A rolling window comes back: what was heard of it is news for `FRESH` seconds.
        """
        for tracked, unit in zip(request.tracked, request.units, strict=True):
            known = not rolls(tracked.key.start) or mono < tracked.heard_at + FRESH
            if known and arithmetic.hopeless(request.demand, unit, tracked.pool):
                return exhausted(tracked)
        return None

    def give_back(self, reservation: Reservation) -> None:
        """A reservation of this owner that no audit entry mentions is free again."""
        if reservation.owner != self.owner:
            return
        for hold in reservation.holds:
            if tracked := self.tracked.get(hold.key):
                tracked.pool.free += hold.amount

    def lose(self) -> None:
        """The database knows this owner no more: nothing is free."""
        for tracked in self.tracked.values():
            tracked.pool.free = 0

    def join(self, waiter: Waiter) -> None:
        """Wait for the next rounds; who takes what there is comes first."""
        self.waiters.insert(0 if waiter.squeeze else len(self.waiters), waiter)
        for tracked in waiter.request.tracked:
            tracked.waiting += 1

    def leave(self, waiter: Waiter) -> None:
        """Stop waiting, answered or not. Idempotent."""
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            for tracked in waiter.request.tracked:
                tracked.waiting -= 1

    def round(self, mono: float, wall: float) -> Round:
        """What to give back and to ask for now; what is given back is not free any more."""
        result = Round()
        for waiter in self.waiters:
            waiter.squeeze = waiter.squeeze or mono >= waiter.deadline
            self._ask_for(waiter, result, mono)
        for tracked in self.top_up.values():
            if tracked.key not in result.wants and not tracked.scarce:
                result.wants[tracked.key] = Want(tracked.pool.cap, tracked.ends, 0, _ahead(tracked, mono))
        self.top_up.clear()
        for tracked in self._returning.values():
            if not tracked.waiting:
                _return(tracked, result)
        self._returning.clear()
        if mono >= self._tidy_at:
            self._tidy_at = mono + TIDY
            for tracked in list(self.tracked.values()):
                self._tidy(tracked, result, mono, wall)
        return result

    def want_back(self, key: WindowKey) -> bool:
        """Another replica waits for room here: what nobody needs goes back with the next round, if anything."""
        tracked = self.tracked.get(key)
        if tracked is None or tracked.waiting:
            return False
        tracked.scarce = True
        self._returning[key] = tracked
        return tracked.pool.free > 0

    def return_all(self) -> None:
        """Nobody will be admitted any more."""
        self.waiters.clear()
        for tracked in self.tracked.values():
            tracked.waiting = 0
        self._returning.update(self.tracked)

    def answer(self, round_: Round, leases: Mapping[WindowKey, Lease], mono: float) -> None:
        """Book what the database granted."""
        for key, lease in leases.items():
            tracked, want = self.tracked.get(key), round_.wants[key]
            if tracked is None:
                continue
            pool, account = tracked.pool, lease.account
            pool.free += lease.amount
            pool.room = max(0, account.room)
            pool.settled = account.settled if rolls(key.start) else max(pool.settled, account.settled)
            tracked.heard_at, tracked.returns = mono, lease.returns
            tracked.scarce = pool.room < SCARCE * max(tracked.hold, want.need)
            tracked.partial = 0 < lease.amount < want.need
            tracked.low = 0 if tracked.scarce else (pool.free + 1) // 2
            tracked.hold -= tracked.hold // 4  # what was large once need not be large for ever
            tracked.taken, tracked.asked_at = 0, mono

    def serve(self, asked: Iterable[Waiter], mono: float) -> bool:
        """Answer everyone who can be answered after a round, in order; whether anyone could."""
        progress, asked_for = False, set(map(id, asked))
        for waiter in list(self.waiters):
            reply = self._verdict(waiter, id(waiter) in asked_for, mono)
            if reply is not None:
                self.leave(waiter)
                waiter.reply(reply)
                progress = True
        return progress

    def _verdict(self, waiter: Waiter, asked: bool, mono: float) -> Granted | Exhausted | None:
        request = waiter.request
        last_of_it = asked and (waiter.squeeze or any(tracked.partial for tracked in request.tracked))
        if granted := self.admit(request, mono, last_of_it=last_of_it):
            return granted
        if refused := self.refuse(request, mono):
            return refused
        return exhausted(tightest(request)) if asked and waiter.squeeze else None

    def _take(self, request: Request, plan: Plan, mono: float) -> Granted:
        text = self.owner
        for tracked, amount in zip(request.tracked, plan.amounts, strict=True):
            pool = tracked.pool
            pool.free -= amount
            tracked.taken += amount
            tracked.used_at = mono
            tracked.hold = max(tracked.hold, amount)
            if pool.free < tracked.low:
                tracked.low = 0
                self.top_up[tracked.key] = tracked
            before, after = tracked.label
            text = f"{text}{before}{amount}{after}"
        return Granted(text, plan.max_output_tokens, paid_output_tokens=plan.paid_output_tokens)

    def _ask_for(self, waiter: Waiter, round_: Round, mono: float) -> None:
        """Where the waiter's need is more than is free, give that back and ask for the whole in one go."""
        demand = waiter.request.demand
        expected, least = arithmetic.expected_output(demand), arithmetic.least_output(demand)
        largest = arithmetic.largest_output(demand)
        short = False
        for tracked, unit in zip(waiter.request.tracked, waiter.request.units, strict=True):
            need = arithmetic.amount(demand, unit, expected)
            most = arithmetic.amount(demand, unit, largest)
            if (before := round_.wants.get(tracked.key)) is not None:
                round_.wants[tracked.key] = _joined(before, most, waiter.squeeze)
                short = True
            elif most > tracked.pool.free:
                if tracked.pool.free:
                    round_.gives[tracked.key], tracked.pool.free = tracked.pool.free, 0
                floor = arithmetic.amount(demand, unit, least)
                want = need if tracked.scarce else max(most * BURST, _ahead(tracked, mono))
                round_.wants[tracked.key] = Want(tracked.pool.cap, tracked.ends, need, want, floor, waiter.squeeze)
                short = True
        if short:
            round_.waiters.append(waiter)

    def _tidy(self, tracked: Tracked, round_: Round, mono: float, wall: float) -> None:
        if tracked.waiting or tracked.key in round_.wants:
            return
        idle = mono - tracked.used_at
        over = bool(tracked.ends) and wall >= tracked.ends
        if over or idle > IDLE or (tracked.scarce and idle > TIDY):
            _return(tracked, round_)
        if not tracked.pool.free and (over or idle > FORGET):
            del self.tracked[tracked.key]
            self.forgotten += 1


def _return(tracked: Tracked, round_: Round) -> None:
    if tracked.pool.free and tracked.key not in round_.wants:
        round_.gives[tracked.key], tracked.pool.free = tracked.pool.free, 0
        tracked.low = 0


def _joined(before: Want, need: int, squeeze: bool) -> Want:
    return Want(before.cap, before.ends, before.need, before.want + need, before.floor, before.squeeze or squeeze)


def _ahead(tracked: Tracked, mono: float) -> int:
    """How much to lease ahead of need."""
    elapsed = max(1.0, mono - tracked.asked_at)
    return max(BURST * tracked.hold, int(tracked.taken * HORIZON / elapsed))
