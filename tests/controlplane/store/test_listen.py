from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psycopg
from support.postgres import PostgresServer
from support.waiting import until

from controlplane.store.holder import SnapshotHolder
from controlplane.store.listen import Refresher
from controlplane.store.migrations import upgrade
from controlplane.store.postgres import create_engine


@contextlib.asynccontextmanager
async def refreshing(database_url: str) -> AsyncIterator[SnapshotHolder]:
    holder, engine = SnapshotHolder(), create_engine(database_url)
    task = asyncio.create_task(Refresher(database_url, engine, holder, random=lambda: 0.0).run())
    try:
        yield holder
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await engine.dispose()


async def add_route(database_url: str, model: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("INSERT INTO routes VALUES (%s)", [model])


async def test_a_commit_by_anyone_reaches_the_holder(database_url: str) -> None:
    async with refreshing(database_url) as holder:
        await until(lambda: holder.current is not None)
        await add_route(database_url, "chat")
        await until(lambda: holder.current is not None and "chat" in holder.current.routes)


async def test_it_survives_a_database_that_goes_away_and_catches_up(own_postgres: PostgresServer) -> None:
    url = own_postgres.url(own_postgres.create())
    upgrade(url)
    async with refreshing(url) as holder:
        await until(lambda: holder.current is not None)
        last = holder.current
        own_postgres.stop()
        await asyncio.sleep(0.3)
        assert holder.current is last
        own_postgres.start()
        await add_route(url, "written-while-nobody-listened")
        await until(lambda: holder.current is not None and bool(holder.current.routes))


async def test_a_row_nobody_can_read_keeps_the_last_good_configuration(database_url: str) -> None:
    async with refreshing(database_url) as holder:
        await until(lambda: holder.current is not None)
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute("INSERT INTO policies VALUES ('broken', 'v', '\\xff')")
            await asyncio.sleep(0.2)
            assert holder.current is not None
            assert holder.current.policies == {}
            await connection.execute("DELETE FROM policies")
        await add_route(database_url, "after")
        await until(lambda: holder.current is not None and "after" in holder.current.routes)
