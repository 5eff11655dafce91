from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from support.snapshots import key, policy, price, provider, snapshot

from controlplane.domain.catalogue import KINDS, Catalogue, changes, of_snapshot
from controlplane.domain.snapshot import Quota, Route, Target, Tenant
from controlplane.store import configuration
from controlplane.store.postgres import create_engine
from controlplane.store.snapshots import load

FULL = of_snapshot(
    snapshot(
        tenants={"acme": Tenant("acme", "default", "Asia/Tokyo", False, 'アクメ株式会社 "quoted" \\ \'')},
        quotas={"acme": (Quota("q1", "monthly", "acme", 1, 5, (1 << 63) - 1, user="山田"),)},
    )
)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def stored(engine: AsyncEngine) -> Catalogue:
    return of_snapshot((await load(engine)).snapshot)


async def become(engine: AsyncEngine, after: Catalogue) -> None:
    async with engine.begin() as connection:
        before = await stored(engine)
        await configuration.write(connection, after, list(changes(before, after)))


async def test_every_kind_of_object_comes_back_as_it_was_written(engine: AsyncEngine) -> None:
    await become(engine, FULL)
    back = await stored(engine)
    for kind in KINDS:
        assert getattr(back, kind) == getattr(FULL, kind), kind
        assert getattr(FULL, kind), f"the test says nothing about {kind}"


async def test_every_kind_of_object_can_be_changed_and_removed(engine: AsyncEngine) -> None:
    await become(engine, FULL)
    changed = replace(
        FULL,
        policies={"default": policy(version="f" * 16)},
        tenants={"acme": Tenant("acme", "default", disabled=True)},
        keys={("acme", "app"): key("another-secret", models=frozenset({"b", "a"}), expires_at=9)},
        providers={"first": provider("first", tls=False, port=80, http2=True), "third": provider("third")},
        prices={
            ("first", "large", 0): price("3", "9"),
            ("first", "large", 7): price(since=7),
            ("third", "x", 0): price(),
        },
        routes={"chat": Route("chat", (Target("third", "x"), Target("first", "large")))},
        quotas={("acme", "monthly"): Quota("q2", "monthly", "acme", 2, 1, 0)},
    )
    await become(engine, changed)
    assert await stored(engine) == changed
    await become(engine, Catalogue())
    assert await stored(engine) == Catalogue()


async def test_nothing_to_change_leaves_the_revision(engine: AsyncEngine) -> None:
    await become(engine, FULL)
    before = (await load(engine)).snapshot.revision
    await become(engine, FULL)
    assert (await load(engine)).snapshot.revision == before


async def test_more_rows_than_fit_one_statement_are_all_written(engine: AsyncEngine) -> None:
    many = {f"m{n}": Route(f"m{n}", (Target("first", "large"),)) for n in range(2_300)}
    await become(engine, replace(FULL, routes=many))
    assert (await stored(engine)).routes == many


async def test_writers_wait_for_each_other(engine: AsyncEngine) -> None:
    order: list[str] = []

    async def second() -> None:
        async with engine.begin() as connection:
            await configuration.lock(connection)
            order.append("second")

    async with engine.begin() as connection:
        await configuration.lock(connection)
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.1)
        order.append("first")
    await waiting
    assert order == ["first", "second"]
