"""Transactions for the write path of the ledger and of quotas, on psycopg itself.

Shipped batches and lease exchanges run many times a second; SQLAlchemy's share of such a statement is larger
than PostgreSQL's. The connection still comes from the engine's pool and goes back to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


@asynccontextmanager
async def begin(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """A transaction: committed at the end, rolled back when anything is raised.

    Raises psycopg.Error from what runs in it, SQLAlchemyError when no connection can be had.
    """
    async with engine.connect() as borrowed:
        connection = (await borrowed.get_raw_connection()).driver_connection
        assert isinstance(connection, psycopg.AsyncConnection)
        try:
            yield connection
            await connection.commit()
        except BaseException:
            with suppress(psycopg.Error):
                await connection.rollback()
            if connection.closed:
                await borrowed.invalidate()  # the pool cannot see what happened to it
            raise


def columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows as one array per column, for unnest()."""
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
