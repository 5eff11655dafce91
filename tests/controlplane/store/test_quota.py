"""Accounts on a real database: whatever runs at once, settled plus leased stays within the cap, and nothing is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.quota import Account
from controlplane.domain.reservation import Hold, Reservation, WindowKey, encode
from controlplane.domain.settlement import Settlement
from controlplane.store import accounts
from controlplane.store.postgres import create_engine
from controlplane.store.quota import Note, OwnerLostError, QuotaStore, Want
from controlplane.store.transactions import begin

A, B = WindowKey("a", 0), WindowKey("b", 60)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def store(engine: AsyncEngine) -> QuotaStore:
    store = QuotaStore(engine)
    await store.register("one", "n1")
    await store.register("two", "n2")
    return store


def want(need: int, want_: int = 0, cap: int = 100, **values: object) -> Want:
    return Want(cap, 120, need, max(need, want_), **values)


async def settle(engine: AsyncEngine, key: WindowKey, owner: str, used: int, held: int) -> None:
    settlement = Settlement()
    settlement.charge(key, used)
    settlement.release(key, owner, held)
    async with begin(engine) as connection:
        await accounts.settle(connection, settlement)


async def leases(engine: AsyncEngine) -> dict[tuple[str, str], int]:
    async with engine.connect() as connection:
        return {(r.quota_id, r.owner): r.amount for r in await connection.execute(text("SELECT * FROM quota_leases"))}


async def test_leases_and_returns_of_several_windows_are_one_exchange(store: QuotaStore, engine: AsyncEngine) -> None:
    first = await store.exchange("one", 1, {}, {A: want(30), B: want(5)})
    assert (first[A].amount, first[A].account) == (30, Account(100, 0, 30))
    second = await store.exchange("one", 2, {A: 10, B: 5}, {B: want(7)})
    assert (second[B].amount, second[B].account) == (7, Account(100, 0, 7))
    assert await store.accounts(["a", "b"]) == {A: Account(100, 0, 20), B: Account(100, 0, 7)}
    assert await leases(engine) == {("a", "one"): 20, ("b", "one"): 7}


async def test_the_same_exchange_again_gives_the_same_answer_and_changes_nothing(store: QuotaStore) -> None:
    first = await store.exchange("one", 1, {}, {A: want(30)})
    assert await store.exchange("one", 1, {}, {A: want(30)}) == first
    assert await store.accounts(["a"]) == {A: Account(100, 0, 30)}


async def test_nobody_can_give_back_more_than_it_has(store: QuotaStore) -> None:
    await store.exchange("one", 1, {}, {A: want(30)})
    await store.exchange("two", 1, {A: 500}, {})
    await store.exchange("one", 2, {A: 500}, {})
    assert await store.accounts(["a"]) == {A: Account(100, 0, 0)}


async def test_an_unknown_owner_is_told_so(store: QuotaStore) -> None:
    with pytest.raises(OwnerLostError):
        await store.exchange("nobody", 1, {}, {A: want(1)})


async def test_a_new_cap_counts_from_the_next_lease(store: QuotaStore) -> None:
    await store.exchange("one", 1, {}, {A: want(80)})
    assert (await store.exchange("two", 1, {}, {A: want(30)}))[A].amount == 0
    assert (await store.exchange("two", 2, {}, {A: want(30, cap=200)}))[A].amount == 30
    lowered = (await store.exchange("one", 2, {}, {A: want(1, cap=50)}))[A]
    assert (lowered.amount, lowered.account.room) == (0, -60)


async def test_use_beyond_the_hold_is_charged_and_shrinks_the_room(store: QuotaStore, engine: AsyncEngine) -> None:
    await store.exchange("one", 1, {}, {A: want(30)})
    await settle(engine, A, "one", 45, 30)
    assert await store.accounts(["a"]) == {A: Account(100, 45, 0)}


async def test_settling_in_a_window_that_is_gone_is_kept(store: QuotaStore, engine: AsyncEngine) -> None:
    await settle(engine, WindowKey("gone", 60), "one", 5, 9)
    assert (await store.accounts(["gone"]))[WindowKey("gone", 60)].settled == 5


async def test_those_who_wait_hear_of_room_and_holders_of_those_who_wait(
    store: QuotaStore, engine: AsyncEngine
) -> None:
    notes: asyncio.Queue[Note] = asyncio.Queue()

    async def hear() -> None:
        async for note in store.listen():
            notes.put_nowait(note)

    listening = asyncio.create_task(hear())
    await asyncio.sleep(0.3)
    await store.exchange("one", 1, {}, {A: want(90)})
    await settle(engine, A, "one", 10, 10)  # nobody waits: nobody is told
    assert (await store.exchange("two", 1, {}, {A: want(30)}))[A].amount == 0
    assert await asyncio.wait_for(notes.get(), 5) == Note(False, A, "two")
    assert (await store.exchange("two", 2, {}, {A: want(30)}))[A].amount == 0  # not told twice within a second
    await store.exchange("one", 2, {A: 40}, {})
    assert await asyncio.wait_for(notes.get(), 5) == Note(True, A, "")
    await settle(engine, A, "one", 0, 5)
    assert await asyncio.wait_for(notes.get(), 5) == Note(True, A, "")
    assert notes.empty()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_retiring_an_owner_keeps_what_its_open_requests_hold(store: QuotaStore, engine: AsyncEngine) -> None:
    await store.exchange("one", 1, {}, {A: want(60), B: want(20)})
    held = encode(Reservation("one", (Hold(A, UNIT_MICRO_USD, 25, ""),)))
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO audit_requests (request_id, at_micros, reservation, holder) VALUES ('r', 0, :r, 'one')"),
            {"r": held},
        )
    assert await store.owners(node="n1") == ["one"]
    assert await store.retire("one")
    assert await store.accounts(["a", "b"]) == {A: Account(100, 0, 25), B: Account(100, 0, 0)}
    assert await store.owners(node="n1") == []


async def test_owners_expire_by_the_databases_clock(store: QuotaStore) -> None:
    assert await store.owners(expired=True) == []
    store.owner_seconds = -1.0
    await store.exchange("two", 1, {}, {})
    assert await store.owners(expired=True) == ["two"]


async def test_replicas_ledgers_and_retirements_at_once_keep_every_account_straight(
    store: QuotaStore, engine: AsyncEngine
) -> None:
    cap, keys = 500, [A, B, WindowKey("c", 0)]
    spent = dict.fromkeys(keys, 0)
    violations: list[str] = []
    done = asyncio.Event()

    async def replica(number: int) -> None:
        chance, free, held = random.Random(number), dict.fromkeys(keys, 0), []
        owner = f"r{number}"
        await store.register(owner, owner)
        for op in range(1, 41):
            chosen = chance.sample(keys, chance.randint(1, 3))
            wants = {
                k: want(chance.randint(1, 40), chance.randint(0, 100), cap, floor=1, squeeze=chance.random() < 0.3)
                for k in chosen
            }
            gives = {k: free[k] for k in chosen if free[k] and chance.random() < 0.5}
            for key, amount in gives.items():
                free[key] -= amount
            for key, lease in (await store.exchange(owner, op, gives, wants)).items():
                free[key] += lease.amount
            for key in keys:
                if free[key] and chance.random() < 0.7:
                    taken = chance.randint(1, free[key])
                    free[key] -= taken
                    held.append((key, taken))
            while held and chance.random() < 0.6:
                key, amount = held.pop(chance.randrange(len(held)))
                used = chance.randint(0, amount)
                await settle(engine, key, owner, used, amount)
                spent[key] += used
        for key, amount in held:
            await settle(engine, key, owner, amount, amount)
            spent[key] += amount
        assert await store.retire(owner)

    async def watch() -> None:
        while not done.is_set():
            for key, account in (await store.accounts(["a", "b", "c"])).items():
                if account.settled + account.leased > cap or account.leased < 0:
                    violations.append(f"{key} {account}")

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(replica(n) for n in range(4)))
    done.set()
    await watching
    assert violations == []
    assert await store.accounts(["a", "b", "c"]) == {key: Account(cap, spent[key], 0) for key in keys}
    assert await leases(engine) == {}
