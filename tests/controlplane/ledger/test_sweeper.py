"""Silence is judged after its grace, and never before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from kagamichain.journal import Journal
from kagamichain.shipper import Shipper
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, AuditQuery
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_PROVIDER_ERROR, AuditEntry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import Chain, admitted, closed, extended, extension, opened

from controlplane.domain.quota import Account
from controlplane.domain.reservation import Hold, Reservation, WindowKey, encode
from controlplane.ledger.queries import Queries
from controlplane.ledger.receiver import Receiver
from controlplane.ledger.sweeper import Grace, Sweeper
from controlplane.store.quota import QuotaStore, Want

KEY = WindowKey("q", 0)
HELD = encode(Reservation("cp", (Hold(KEY, UNIT_MICRO_USD, 100, ""),)))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path / "journal", "cp")
    yield journal
    journal.close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def sweeper(engine: AsyncEngine, quotas: QuotaStore, journal: Journal, clock: Clock | None = None) -> Sweeper:
    clock = clock or Clock()
    return Sweeper(engine, quotas, journal, wall=clock, monotonic=clock, grace=Grace(5, 120, 3600))


async def age(engine: AsyncEngine, seconds: float) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE audit_requests SET touched_at = touched_at - make_interval(secs => :s)"), {"s": seconds}
        )


async def state(engine: AsyncEngine, quotas: QuotaStore) -> tuple[str, Account]:
    (record,) = (await Queries(engine, quotas, lambda: None).audit(AuditQuery())).records
    return record.outcome, (await quotas.accounts(["q"]))[KEY]


@pytest.fixture
async def leased(quotas: QuotaStore) -> None:
    await quotas.register("cp", "node")
    await quotas.exchange("cp", 1, {}, {KEY: Want(1000, 0, 100, 100)})


@pytest.mark.usefixtures("leased")
async def test_an_error_nobody_retried_becomes_final(engine: AsyncEngine, quotas: QuotaStore, journal: Journal) -> None:
    failed = closed("r1", HELD, micro_usd=9, outcome=OUTCOME_PROVIDER_ERROR, final=False)
    await Receiver(engine).send("dp", Chain("dp").frames([opened("r1", HELD), failed]))
    sweep = sweeper(engine, quotas, journal)
    assert await sweep.sweep() == 0
    await age(engine, 6)
    assert await sweep.sweep() == 1
    assert await state(engine, quotas) == ("provider_error", Account(1000, 9, 0))
    assert await sweep.sweep() == 0


@pytest.mark.usefixtures("leased")
async def test_an_open_attempt_is_left_alone_until_it_must_be_lost(
    engine: AsyncEngine, quotas: QuotaStore, journal: Journal
) -> None:
    await Receiver(engine).send("dp", Chain("dp").frames([opened("r1", HELD)]))
    sweep = sweeper(engine, quotas, journal)
    await age(engine, 3000)
    assert await sweep.sweep() == 0
    await age(engine, 700)
    assert await sweep.sweep() == 1
    assert await state(engine, quotas) == ("worker_lost", Account(1000, 100, 0))


@pytest.mark.usefixtures("leased")
async def test_a_lost_streams_extensions_are_charged_and_freed_with_it(
    engine: AsyncEngine, quotas: QuotaStore, journal: Journal
) -> None:
    await quotas.exchange("cp", 2, {}, {KEY: Want(1000, 0, 40, 40)})
    more = extension(1, HELD.replace("100", "40"))
    entries = [opened("r1", HELD), extended("r1", HELD, more)]
    await Receiver(engine).send("dp", Chain("dp").frames(entries))
    assert (await quotas.accounts(["q"]))[KEY].leased == 140
    await age(engine, 3700)
    assert await sweeper(engine, quotas, journal).sweep() == 1
    assert await state(engine, quotas) == ("worker_lost", Account(1000, 140, 0))


@pytest.mark.usefixtures("leased")
async def test_a_request_that_reached_no_data_plane_is_abandoned_through_the_journal(
    engine: AsyncEngine, quotas: QuotaStore, journal: Journal
) -> None:
    receiver = Receiver(engine)
    await receiver.send("elsewhere", Chain("elsewhere").frames([admitted("r1", HELD)]))
    sweep = sweeper(engine, quotas, journal)
    await age(engine, 100)
    assert await sweep.sweep() == 0
    await age(engine, 21)
    assert await sweep.sweep() == 1
    assert await sweep.sweep() == 0
    (frame,) = journal.read(0, 10)
    assert AuditEntry.FromString(frame.entry).abandoned.reservation_id == HELD
    await Shipper(journal, receiver.send).flush()
    assert await state(engine, quotas) == ("abandoned", Account(1000, 0, 0))


@pytest.mark.usefixtures("leased")
async def test_a_request_being_written_to_is_not_judged(
    engine: AsyncEngine, quotas: QuotaStore, journal: Journal
) -> None:
    await Receiver(engine).send("dp", Chain("dp").frames([opened("r1", HELD)]))
    await age(engine, 4000)
    async with engine.begin() as writer:
        await writer.execute(text("SELECT * FROM audit_requests FOR UPDATE"))
        assert await sweeper(engine, quotas, journal).sweep() == 0


async def test_only_one_sweeps_at_a_time(engine: AsyncEngine, quotas: QuotaStore, journal: Journal) -> None:
    for n in range(20):
        failed = closed(f"r{n}", outcome=OUTCOME_PROVIDER_ERROR, final=False)
        await Receiver(engine).send(f"dp-{n}", Chain(f"dp-{n}").frames([opened(f"r{n}"), failed]))
    await age(engine, 10)
    counts = await asyncio.gather(*(sweeper(engine, quotas, journal).sweep() for _ in range(4)))
    assert sum(counts) == 20


async def test_dead_replicas_are_retired_only_when_the_database_was_in_reach_long_enough(
    engine: AsyncEngine, journal: Journal
) -> None:
    quotas = QuotaStore(engine, owner_seconds=0.0)
    await quotas.register("dead", "node")
    await quotas.exchange("dead", 1, {}, {KEY: Want(1000, 0, 100, 100)})
    quotas.owner_seconds = 30.0
    clock = Clock()
    sweep = sweeper(engine, quotas, journal, clock)
    await sweep.sweep()
    assert (await quotas.accounts(["q"]))[KEY].leased == 100
    clock.now += 31
    await sweep.sweep()
    assert (await quotas.accounts(["q"]))[KEY].leased == 0


async def test_windows_long_over_are_forgotten_with_nothing_lost(
    engine: AsyncEngine, quotas: QuotaStore, journal: Journal
) -> None:
    await quotas.register("cp", "node")
    day, minute, old = 86_400, 60, 1_000_000_020
    kept = {WindowKey("leased", old): Want(9, old + minute, 1, 1), WindowKey("lifetime", 0): Want(9, 0, 0, 0)}
    gone = {WindowKey("minute", old): Want(9, old + minute, 0, 0), WindowKey("day", old): Want(9, old + day, 0, 0)}
    recent = 4_000_000_000
    kept[WindowKey("minute", recent)] = Want(9, recent + minute, 0, 0)
    await quotas.exchange("cp", 1, {}, {**kept, **gone})
    await sweeper(engine, quotas, journal).sweep()
    assert set(await quotas.accounts(["leased", "lifetime", "minute", "day"])) == set(kept)
