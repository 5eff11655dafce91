"""What the ledger's tables hold, read: chains, requests with their attempts, what is held.

Writes: `batches`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from kagamichain.chain import START, Frame, Head
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_COMPLETED
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

ROW = (
    "request_id", "at_micros", "tenant", "key_id", "end_user", "model", "path", "policy", "outcome", "http_status",
    "code", "cost_micro_usd", "admitted", "final", "reservation", "holder", "input_estimate",
    "extensions", "freed",
)  # fmt: skip
"""Columns of `audit_requests` a caller reads and writes, in this order; `charged` follows."""


class AttemptRow(NamedTuple):
    """One attempt as stored."""

    request_id: str
    attempt: int
    writer: str
    body: Mapping[str, Any]


class Finished(NamedTuple):
    """What a completed request used: by its provider's count if `reported`."""

    request_id: str
    tenant: str
    model: str
    input_estimate: int
    reported: bool
    input_tokens: int
    output_tokens: int


async def head(engine: AsyncEngine, writer: str) -> Head:
    """Where a writer's chain stands, without locking."""
    async with engine.connect() as connection:
        row = (await connection.execute(_READ_WRITER, {"writer": writer})).one_or_none()
        return Head(row.seq, bytes(row.link)) if row else START


async def recent(
    engine: AsyncEngine, *, tenant: str = "", request_id: str = "", limit: int = 50
) -> tuple[list[Row[Any]], list[AttemptRow]]:
    """Requests, newest first, and all their attempts."""
    async with engine.connect() as connection:
        found = {"tenant": tenant, "request_id": request_id, "limit": limit}
        rows = list(await connection.execute(_RECENT, found))
        attempts = await connection.execute(_ATTEMPTS, {"ids": [row.request_id for row in rows]})
        return rows, [AttemptRow(row.request_id, row.attempt, row.writer, row.body) for row in attempts]


async def holding(engine: AsyncEngine) -> list[str]:
    """Reservations and extensions of all requests that still hold budget."""
    async with engine.connect() as connection:
        return [row.reservation for row in await connection.execute(_HOLDING)]


async def finished(engine: AsyncEngine, limit: int) -> list[Finished]:
    """What the newest completed requests used, oldest first."""
    async with engine.connect() as connection:
        values = {"limit": limit, "completed": OUTCOME_COMPLETED}
        return [Finished(*row) for row in await connection.execute(_FINISHED, values)][::-1]


async def chains(engine: AsyncEngine, writer: str = "", *, batch: int = 500) -> AsyncIterator[tuple[str, Frame]]:
    """Every stored frame, writer by writer in order, as of one moment; in batches, so that memory stays
    bounded.
    """
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        result = await connection.stream(_CHAINS, {"writer": writer}, execution_options={"yield_per": batch})
        async for row in result:
            yield row.writer, Frame(row.seq, bytes(row.link), bytes(row.entry))


_READ_WRITER = text("SELECT seq, link FROM audit_writers WHERE writer = :writer")
_ATTEMPTS = text("""
    SELECT request_id, attempt, writer, body FROM audit_attempts WHERE request_id = ANY(CAST(:ids AS text[]))
    ORDER BY request_id, attempt, writer""")
_RECENT = text("""
    SELECT * FROM audit_requests
    WHERE (CAST(:tenant AS text) = '' OR tenant = :tenant)
      AND (CAST(:request_id AS text) = '' OR request_id = :request_id)
    ORDER BY at_micros DESC, request_id DESC LIMIT :limit""")
_HOLDING = text("""
    SELECT reservation FROM audit_requests WHERE holder <> '' UNION ALL
    SELECT split_part(extension, ' ', 2) FROM audit_requests, unnest(extensions[freed + 1:]) AS extension
    WHERE cardinality(extensions) > freed""")
_FINISHED = text("""
    SELECT r.request_id, r.tenant, r.model, r.input_estimate, (a.body ->> 'reported')::bool,
        (a.body ->> 'input_tokens')::bigint, (a.body ->> 'output_tokens')::bigint
    FROM audit_requests r JOIN audit_attempts a USING (request_id)
    WHERE r.admitted AND r.final AND r.outcome = 'completed' AND (a.body ->> 'final')::bool
      AND (a.body ->> 'outcome')::int = :completed
    ORDER BY r.at_micros DESC LIMIT :limit""")
_CHAINS = text("""
    SELECT writer, seq, link, entry FROM audit_frames WHERE CAST(:writer AS text) = '' OR writer = :writer
    ORDER BY writer, seq""")
