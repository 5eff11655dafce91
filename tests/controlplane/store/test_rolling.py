"""Rolling windows on a real database, where time passes by moving what was noted into the past."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.quota import Account
from controlplane.domain.reservation import WindowKey
from controlplane.domain.settlement import Settlement
from controlplane.store import accounts
from controlplane.store.postgres import create_engine
from controlplane.store.quota import QuotaStore, Want
from controlplane.store.transactions import begin

DAY, GRAIN = 86_400, 1440
KEY, OTHER = WindowKey("q", -DAY), WindowKey("q", 0)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def store(engine: AsyncEngine) -> QuotaStore:
    store = QuotaStore(engine)
    await store.register("one", "n1")
    return store


async def use(engine: AsyncEngine, amount: int, held: int = 0, key: WindowKey = KEY) -> None:
    settlement = Settlement()
    settlement.charge(key, amount)
    settlement.release(key, "one", held)
    async with begin(engine) as connection:
        await accounts.settle(connection, settlement)


async def pass_by(engine: AsyncEngine, seconds: int) -> None:
    """Whole grains: pieces keep their names apart."""
    async with engine.begin() as connection:
        # By way of negative numbers, for one piece may take the name another has still.
        await connection.execute(text("UPDATE quota_buckets SET returns = -(returns - :s)"), {"s": seconds})
        await connection.execute(text("UPDATE quota_buckets SET returns = -returns"))


async def settled(store: QuotaStore) -> int:
    return (await store.accounts(["q"]))[KEY].settled


async def test_use_comes_back_piece_by_piece_and_never_early(engine: AsyncEngine, store: QuotaStore) -> None:
    await use(engine, 30)
    await pass_by(engine, DAY // 2)
    await use(engine, 12)
    assert await settled(store) == 42
    await pass_by(engine, DAY // 2 - GRAIN)
    assert await settled(store) == 42
    await pass_by(engine, 2 * GRAIN)
    assert await settled(store) == 12
    lease = (await store.exchange("one", 1, {}, {KEY: Want(100, 0, 90, 90, 1, squeeze=True)}))[KEY]
    assert (lease.amount, lease.account) == (88, Account(100, 12, 88))
    assert 0 < lease.returns - time.time() <= DAY
    await pass_by(engine, DAY)
    lease = (await store.exchange("one", 2, {}, {KEY: Want(100, 0, 5, 5)}))[KEY]
    assert (lease.amount, lease.account, lease.returns) == (5, Account(100, 0, 93), 0)


async def test_the_answer_that_is_remembered_says_when_room_returns(engine: AsyncEngine, store: QuotaStore) -> None:
    await use(engine, 10)
    wants = {KEY: Want(10, 0, 1, 1)}
    first = await store.exchange("one", 1, {}, wants)
    assert first == await store.exchange("one", 1, {}, wants)
    assert first[KEY].returns > time.time()


async def test_a_correction_takes_from_the_newest_and_never_from_what_came_back(
    engine: AsyncEngine, store: QuotaStore
) -> None:
    await use(engine, 50)
    await pass_by(engine, DAY // 2)
    await use(engine, 7)
    await use(engine, -10)
    assert await settled(store) == 47
    await pass_by(engine, DAY // 2 + 2 * GRAIN)
    assert await settled(store) == 0
    await use(engine, -20)
    assert await settled(store) == 0


async def test_a_rolling_window_with_nothing_in_it_is_forgotten_and_made_again(
    engine: AsyncEngine, store: QuotaStore
) -> None:
    await use(engine, 3)
    await store.forget()
    assert await settled(store) == 3
    await store.exchange("one", 1, {}, {KEY: Want(100, 0, 9, 9)})
    await pass_by(engine, 2 * DAY)
    await store.forget()
    assert set(await store.accounts(["q"])) == {KEY}  # something is leased
    await store.exchange("one", 2, {KEY: 9}, {})
    await store.forget()
    assert await store.accounts(["q"]) == {}
    await use(engine, 4)
    assert await settled(store) == 4


async def test_other_windows_of_the_same_quota_do_not_roll(engine: AsyncEngine, store: QuotaStore) -> None:
    await use(engine, 5, key=OTHER)
    await use(engine, 3)
    await pass_by(engine, 2 * DAY)
    assert (await store.accounts(["q"]))[OTHER].settled == 5
    assert await settled(store) == 0


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_the_last_day_is_counted_whole(
    engine: AsyncEngine, store: QuotaStore, seed: int
) -> None:
    chance, used, age, op, leased = random.Random(seed), [], 0, 0, 0
    for _ in range(60):
        if chance.random() < 0.3:
            step = GRAIN * chance.randint(1, 40)
            await pass_by(engine, step)
            age += step
            continue
        op += 1
        want = chance.randint(1, 40)
        lease = (await store.exchange("one", op, {}, {KEY: Want(100, 0, want, want)}))[KEY]
        leased += lease.amount
        if lease.amount:
            amount = chance.randint(0, lease.amount)
            await use(engine, amount, held=lease.amount)
            leased -= lease.amount
            used.append((age, amount))
        # What is noted at an age of exactly a day may be in a piece that ended just before or just after now.
        within = sum(amount for at, amount in used if age - at < DAY)
        at_most = sum(amount for at, amount in used if age - at <= DAY + GRAIN)
        assert within <= await settled(store) <= at_most
        assert within + leased <= 100
