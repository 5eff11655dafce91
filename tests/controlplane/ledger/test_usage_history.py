"""History: added up in the settlement's transaction, once per request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_PROVIDER_ERROR, OUTCOME_WORKER_LOST
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import Chain, abandoned, admitted, closed, denied, opened

from controlplane.ledger.receiver import Receiver
from controlplane.store.postgres import create_engine
from controlplane.store.usage import history

DAY = date(2025, 6, 15)  # of support.entries.AT in UTC; in Kiritimati it is the next


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def days(engine: AsyncEngine, by: str = "day", **bounds: date | None) -> list[tuple[object, ...]]:
    values = {"tenant": "", "first": None, "last": None, **bounds}
    rows = await history(engine, by, **values)
    return [(row[1], row.requests, row.input_tokens, row.output_tokens, row.cost_micro_usd) for row in rows]


async def test_a_request_counts_once_however_often_and_in_whatever_order_it_is_told(engine: AsyncEngine) -> None:
    receiver = Receiver(engine)
    ends = Chain("dp").frames([opened("r1"), closed("r1", micro_usd=7, tokens=(10, 20))])
    await receiver.send("dp", ends)
    assert await days(engine) == []  # who asked for what is not known yet
    starts = Chain("cp").frames([admitted("r1")])
    await receiver.send("cp", starts)
    await receiver.send("dp", ends)
    await receiver.send("cp", starts)
    assert await days(engine) == [(DAY, 1, 10, 20, 7)]
    assert await days(engine, "model") == [("chat", 1, 10, 20, 7)]
    assert await days(engine, "key_id") == [("key-1", 1, 10, 20, 7)]


async def test_what_becomes_known_later_is_corrected(engine: AsyncEngine) -> None:
    receiver, worker = Receiver(engine), Chain("dp")
    lost = worker.frames([admitted("r1"), opened("r1"), closed("r1", outcome=OUTCOME_WORKER_LOST)])
    await receiver.send("dp", lost)
    assert await days(engine) == [(DAY, 1, 0, 0, 0)]
    other = Chain("dp2").frames([opened("r1", attempt=2), closed("r1", attempt=2, micro_usd=9, tokens=(4, 5))])
    await receiver.send("dp2", other)
    assert await days(engine) == [(DAY, 1, 4, 5, 9)]


async def test_what_used_nothing_is_not_counted(engine: AsyncEngine) -> None:
    entries = [denied("r1"), admitted("r2"), abandoned("r2"), admitted("r3"), opened("r3")]
    await Receiver(engine).send("cp", Chain("cp").frames(entries))
    assert await days(engine) == []


async def test_failed_attempts_are_part_of_their_request(engine: AsyncEngine) -> None:
    failed = closed("r1", micro_usd=2, tokens=(3, 0), outcome=OUTCOME_PROVIDER_ERROR, final=False)
    ends = [opened("r1", attempt=2), closed("r1", attempt=2, micro_usd=5, tokens=(3, 4))]
    await Receiver(engine).send("dp", Chain("dp").frames([admitted("r1"), opened("r1"), failed, *ends]))
    assert await days(engine) == [(DAY, 1, 6, 4, 7)]


async def test_days_are_those_of_the_tenants_time_zone_and_can_be_bounded(engine: AsyncEngine) -> None:
    entries = [admitted("r1"), opened("r1"), closed("r1", micro_usd=1)]
    await Receiver(engine, zones=lambda _: "Pacific/Kiritimati").send("dp", Chain("dp").frames(entries))
    after = date(2025, 6, 16)
    assert await days(engine) == [(after, 1, 0, 0, 1)]
    assert await days(engine, first=after, last=after) == [(after, 1, 0, 0, 1)]
    assert await days(engine, last=DAY) == []
    assert await days(engine, tenant="other") == []


async def test_many_journals_at_once_lose_nothing(engine: AsyncEngine) -> None:
    async def one(n: int) -> None:
        entries = [e for k in range(5) for e in (
            admitted(f"r{n}-{k}", model=f"m{(n + k) % 3}"), opened(f"r{n}-{k}"), closed(f"r{n}-{k}", micro_usd=1)
        )]  # fmt: skip
        await Receiver(engine).send(f"dp-{n}", Chain(f"dp-{n}").frames(entries))

    await asyncio.gather(*(one(n) for n in range(12)))
    assert await days(engine) == [(DAY, 60, 0, 0, 60)]
    assert sum(row[1] for row in await days(engine, "model")) == 60
