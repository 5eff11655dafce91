"""Lease arithmetic: how budget moves from PostgreSQL to a replica to a request and back. Pure.

A quota window has a cap, an amount *settled* (used for certain) and an amount *leased* to replicas. A
replica admits requests out of the free part of its leases, in memory; what it gives to a request (a hold)
stays leased until the ledger settles the request: then the hold leaves the lease, the actual use is added to
settled, and the difference is free for everyone at once.

Invariant at every instant, across replicas: settled + leased <= cap, and holds <= leased. It needs actual
use never to exceed the hold, so a hold pays for a stated number of output tokens. A whole answer cannot be
stopped on its way: its hold is generous while there is plenty of room, shrinks to the expected output as the
cap comes near, and the provider is asked for no more. A stream is metered: its hold is the expected output
from the start, it grows by extensions, and the stream is cut where none is granted; only near the cap is the
provider held to a share of the room as well, and at the cap to the hold itself. So nothing is refused for a
worst case, and nothing is spent beyond the cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kagamipb.admin.v1.admin_pb2 import (
    UNIT_CONCURRENT_REQUESTS,
    UNIT_INPUT_TOKENS,
    UNIT_MICRO_USD,
    UNIT_OUTPUT_TOKENS,
    UNIT_REQUESTS,
    UNIT_TOTAL_TOKENS,
    Unit,
)

from controlplane.domain.ports import Demand, Growth

GENEROUS_OUTPUT = 8192
"""Output tokens a request without a limit of its own may use while room is plentiful; then it is not
clamped.
"""
LEAST_OUTPUT = 16
"""A request whose room pays for fewer output tokens than this is refused rather than answered with a stump.
"""
PLENTY = 16
"""Room counts as plentiful while it holds this many of the largest hold a request could get."""
SHARE = 8
"""A lease takes at most this fraction (1/SHARE) of the room beyond what is needed at once."""
PICO_PER_MICRO = 1_000_000

_OUTPUT_UNITS = frozenset({UNIT_MICRO_USD, UNIT_OUTPUT_TOKENS, UNIT_TOTAL_TOKENS})
_OUTPUT_TOKENS = _OUTPUT_UNITS - {UNIT_MICRO_USD}


@dataclass(frozen=True, slots=True)
class Account:
    """The truth of one quota window."""

    cap: int
    settled: int = 0
    leased: int = 0

    @property
    def room(self) -> int:
        """What may still be leased; negative when a cap was lowered."""
        return self.cap - self.settled - self.leased

    def grant(self, need: int, want: int, floor: int, squeeze: bool) -> int:
        """How much to lease: `need` if there is room, towards `want` if there is plenty of it, else nothing.

        When waiting cannot help, because nothing is leased to anyone or the caller waited long enough
        (`squeeze`), whatever room is left is leased, if it is at least `floor`.
        """
        room = self.room
        if need <= room:
            return need + max(0, min(want - need, (room - need) // SHARE))
        if (squeeze or self.leased == 0) and 0 < floor <= room:
            return room
        return 0

    def lease(self, amount: int) -> Account:
        """After leasing `amount` more (or giving back, when negative)."""
        return Account(self.cap, self.settled, self.leased + amount)

    def settle(self, actual: int, held: int) -> Account:
        """After a request that held `held` of a lease used `actual`."""
        return Account(self.cap, self.settled + actual, self.leased - held)


@dataclass(slots=True)
class Pool:
    """One quota window as one replica sees it: its own free lease, and the account when last heard of."""

    cap: int
    free: int = 0
    room: int = 0
    """Room beyond all leases, when last heard of; only a hint."""
    settled: int = 0
    """When last heard of. It never falls, unless the window rolls: what does not fit beside it will never fit."""


class Plan(NamedTuple):
    """What to take out of each pool, and what that means for the output."""

    amounts: tuple[int, ...]
    max_output_tokens: int
    """The most the provider may be asked for; 0 = no clamp needed."""
    paid_output_tokens: int = 0
    """What the amounts pay for; 0 = none of them counts output."""


def amount(demand: Demand, unit: Unit, output_tokens: int) -> int:
    """What the demand takes of a quota of this unit if it produces `output_tokens`."""
    if unit == UNIT_MICRO_USD:
        more = (output_tokens - demand.output_tokens) * demand.pico_usd_per_output_token
        return max(0, demand.micro_usd - (-more // PICO_PER_MICRO))
    if unit in (UNIT_REQUESTS, UNIT_CONCURRENT_REQUESTS):
        return 1
    if unit == UNIT_INPUT_TOKENS:
        return demand.input_tokens
    if unit == UNIT_OUTPUT_TOKENS:
        return output_tokens
    if unit == UNIT_TOTAL_TOKENS:
        return demand.input_tokens + output_tokens
    raise ValueError(f"unknown quota unit {unit}")


def affordable_output(demand: Demand, unit: Unit, room: int) -> int:
    """The most output tokens `room` of this unit pays for, after the input; may be negative."""
    if unit == UNIT_MICRO_USD:
        price = demand.pico_usd_per_output_token
        if price <= 0:
            return GENEROUS_OUTPUT if demand.micro_usd <= room else -1
        return demand.output_tokens + (room - demand.micro_usd) * PICO_PER_MICRO // price
    if unit == UNIT_OUTPUT_TOKENS:
        return room
    if unit == UNIT_TOTAL_TOKENS:
        return room - demand.input_tokens
    return GENEROUS_OUTPUT


def largest_output(demand: Demand) -> int:
    """Output tokens the request may use while room is plentiful."""
    return demand.output_limit or max(GENEROUS_OUTPUT, demand.output_tokens)


def least_output(demand: Demand) -> int:
    """Output tokens below which the request is refused."""
    return min(LEAST_OUTPUT, largest_output(demand))


def expected_output(demand: Demand) -> int:
    """Output tokens the request is admitted with when room is not plentiful."""
    return max(least_output(demand), min(demand.output_tokens, largest_output(demand)))


def plan(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool]) -> Plan | None:
    """Admit the demand out of what the pools have free; None when at least one needs more lease first."""
    return _generous(demand, units, pools) or _measured(demand, units, pools)


def _measured(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool]) -> Plan | None:
    """The plan with as much output as the tightest pool allows."""
    most = _roomy_output(demand, units, pools)
    output = expected_output(demand) if demand.streamed else most
    taken = _fits(demand, units, pools, output)
    return None if taken is None else Plan(taken, clamp(demand, units, most), _paid(demand, units, output))


def squeeze(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool]) -> Plan | None:
    """Admit the demand with as much output as the pools' free lease pays for; None when that is too little."""
    output = expected_output(demand)
    for unit, pool in zip(units, pools, strict=True):
        if unit in _OUTPUT_UNITS:
            output = min(output, affordable_output(demand, unit, pool.free))
    if output < least_output(demand):
        return None
    taken = _fits(demand, units, pools, output)
    return None if taken is None else Plan(taken, clamp(demand, units, output), _paid(demand, units, output))


def growth_demand(growth: Growth) -> Demand:
    """An extension as a demand: output and nothing else, and no more of it than is wanted."""
    wanted, price = growth.output_tokens, growth.pico_usd_per_output_token
    return Demand(
        request_id=growth.request_id,
        tenant=growth.tenant,
        key_id="",
        user="",
        model="",
        providers=(growth.provider,),
        micro_usd=-(-wanted * price // PICO_PER_MICRO),
        input_tokens=0,
        output_tokens=wanted,
        output_limit=wanted,
        pico_usd_per_output_token=price,
    )


def counts_output(unit: Unit) -> bool:
    """Whether a quota of this unit is used by output."""
    return unit in _OUTPUT_UNITS


def clamp(demand: Demand, units: Sequence[Unit], output: int) -> int:
    """The limit the provider must be given for a hold that pays for `output` tokens; 0 when none is needed."""
    return 0 if output >= largest_output(demand) else _paid(demand, units, output)


def hopeless(demand: Demand, unit: Unit, pool: Pool) -> bool:
    """Whether even the smallest answer does not fit beside what is settled: no waiting will help in this
    window.
    """
    return amount(demand, unit, least_output(demand)) > pool.cap - pool.settled


def _generous(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool]) -> Plan | None:
    """What nearly every request is granted, while every pool holds plenty of the most it may use."""
    most, taken = largest_output(demand), []
    output = expected_output(demand) if demand.streamed else most
    for unit, pool in zip(units, pools, strict=True):
        need = amount(demand, unit, output)
        if need > pool.free:
            return None
        if unit in _OUTPUT_UNITS:
            largest = amount(demand, unit, most) if demand.streamed else need
            if largest > (pool.room + pool.free) // PLENTY:
                return None
        taken.append(need)
    return Plan(tuple(taken), 0, _paid(demand, units, output))


def _paid(demand: Demand, units: Sequence[Unit], output: int) -> int:
    """`output`, if any of the units is used by it; free output is paid for by no quota of money."""
    counted = _OUTPUT_UNITS if demand.pico_usd_per_output_token > 0 else _OUTPUT_TOKENS
    return 0 if counted.isdisjoint(units) else output


def _roomy_output(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool]) -> int:
    output = largest_output(demand)
    for unit, pool in zip(units, pools, strict=True):
        if unit in _OUTPUT_UNITS:
            affordable = affordable_output(demand, unit, (pool.room + pool.free) // PLENTY)
            output = min(output, affordable)
    return max(output, expected_output(demand))


def _fits(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool], output: int) -> tuple[int, ...] | None:
    taken = []
    for unit, pool in zip(units, pools, strict=True):
        need = amount(demand, unit, output)
        if need > pool.free:
            return None
        taken.append(need)
    return tuple(taken)
