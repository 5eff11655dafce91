"""Lease arithmetic: how budget moves from PostgreSQL to a replica to a request and back. Pure.

A quota window has a cap, an amount *settled* (used for certain) and an amount *leased* to replicas. A
replica admits requests out of the free part of its leases, in memory; what it gives to a request (a hold)
stays leased until the ledger settles the request: then the hold leaves the lease, the actual use is added to
settled, and the difference is free for everyone at once.

Invariant at every instant, across replicas: settled + leased <= cap, and holds <= leased. It needs actual
use never to exceed the hold, so a hold pays for a stated number of output tokens and the provider is asked
for no more. That number is generous while there is plenty of room and shrinks to the expected output as the
cap comes near: nothing is refused for a worst case, and nothing is spent beyond the cap.
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

from controlplane.domain.ports import Demand

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
    """What to take out of each pool, and the clamp that makes it enough (0 = none needed)."""

    amounts: tuple[int, ...]
    max_output_tokens: int


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
    if (generous := _generous(demand, units, pools)) is not None:
        return Plan(generous, 0)
    output = _roomy_output(demand, units, pools)
    taken = _fits(demand, units, pools, output)
    return None if taken is None else Plan(taken, clamp(demand, units, output))


def squeeze(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool]) -> Plan | None:
    """Admit the demand with as much output as the pools' free lease pays for; None when that is too little."""
    output = expected_output(demand)
    for unit, pool in zip(units, pools, strict=True):
        if unit in _OUTPUT_UNITS:
            output = min(output, affordable_output(demand, unit, pool.free))
    if output < least_output(demand):
        return None
    taken = _fits(demand, units, pools, output)
    return None if taken is None else Plan(taken, clamp(demand, units, output))


def clamp(demand: Demand, units: Sequence[Unit], output: int) -> int:
    """The limit the provider must be given for a hold that pays for `output` tokens; 0 when none is needed."""
    if output >= largest_output(demand) or not any(unit in _OUTPUT_UNITS for unit in units):
        return 0
    if demand.pico_usd_per_output_token <= 0 and not any(u in _OUTPUT_UNITS and u != UNIT_MICRO_USD for u in units):
        return 0
    return output


def hopeless(demand: Demand, unit: Unit, pool: Pool) -> bool:
    """Whether even the smallest answer does not fit beside what is settled: no waiting will help in this
    window.
    """
    return amount(demand, unit, least_output(demand)) > pool.cap - pool.settled


def _generous(demand: Demand, units: Sequence[Unit], pools: Sequence[Pool]) -> tuple[int, ...] | None:
    """What nearly every request takes: the most it may, while every pool holds plenty of that."""
    output, taken = largest_output(demand), []
    for unit, pool in zip(units, pools, strict=True):
        need = amount(demand, unit, output)
        if need > pool.free or (unit in _OUTPUT_UNITS and need > (pool.room + pool.free) // PLENTY):
            return None
        taken.append(need)
    return tuple(taken)


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
