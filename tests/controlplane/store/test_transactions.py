from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.store.postgres import create_engine
from controlplane.store.transactions import begin, columns


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=1)
    async with begin(engine) as connection:
        await connection.execute("CREATE TABLE t (n int)")
    yield engine
    await engine.dispose()


async def count(engine: AsyncEngine) -> int:
    async with begin(engine) as connection:
        return (await (await connection.execute("SELECT count(*) FROM t")).fetchall())[0][0]


async def test_what_ends_well_is_committed(engine: AsyncEngine) -> None:
    async with begin(engine) as connection:
        await connection.execute("INSERT INTO t VALUES (1)")
    assert await count(engine) == 1


async def test_what_raises_is_rolled_back_and_the_connection_is_good_again(engine: AsyncEngine) -> None:
    async def fail() -> None:
        async with begin(engine) as connection:
            await connection.execute("INSERT INTO t VALUES (1)")
            await connection.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        await fail()
    assert await count(engine) == 0


async def test_a_cancelled_transaction_is_rolled_back(engine: AsyncEngine) -> None:
    async def slow() -> None:
        async with begin(engine) as connection:
            await connection.execute("INSERT INTO t VALUES (1)")
            await connection.execute("SELECT pg_sleep(30)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(engine) == 0


async def test_a_broken_connection_is_not_used_again(engine: AsyncEngine, database_url: str) -> None:
    async def cut() -> None:
        async with begin(engine) as connection:
            async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
                await other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            await connection.execute("INSERT INTO t VALUES (1)")

    with pytest.raises(psycopg.OperationalError):
        await cut()
    assert await count(engine) == 0


def test_rows_become_columns() -> None:
    assert columns(("a", "b"), [(1, "x"), (2, "y")]) == {"a": [1, 2], "b": ["x", "y"]}
    assert columns(("a", "b"), []) == {"a": [], "b": []}
