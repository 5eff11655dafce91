"""Audit chains and request records in PostgreSQL: plain reads and writes inside a caller's transaction.

What a record means is the caller's business; here it is one row and a JSON document per attempt. Rows are
locked in the order of their ids, whoever comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from kagamichain.chain import START, Frame, Head
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

ROW = (
    "request_id", "at_micros", "tenant", "key_id", "end_user", "model", "path", "policy", "outcome", "http_status",
    "code", "cost_micro_usd", "admitted", "final", "reservation", "holder",
)  # fmt: skip
"""Columns of `audit_requests` a caller reads and writes, in this order; `charged` follows."""


class AttemptRow(NamedTuple):
    """One attempt as stored."""

    request_id: str
    attempt: int
    writer: str
    body: Mapping[str, Any]


async def lock_head(connection: AsyncConnection, writer: str) -> Head:
    """Where a writer's chain stands; no other transaction extends it until this one ends."""
    await connection.execute(_OPEN_WRITER, {"writer": writer, "link": START.link})
    row = (await connection.execute(_LOCK_WRITER, {"writer": writer})).one()
    return Head(row.seq, bytes(row.link))


async def head(engine: AsyncEngine, writer: str) -> Head:
    """Where a writer's chain stands, without locking."""
    async with engine.connect() as connection:
        row = (await connection.execute(_READ_WRITER, {"writer": writer})).one_or_none()
        return Head(row.seq, bytes(row.link)) if row else START


async def extend(connection: AsyncConnection, writer: str, frames: Sequence[Frame]) -> None:
    """Store frames that follow the head locked before."""
    columns = {"seqs": [f.seq for f in frames], "links": [f.link for f in frames], "entries": [f.entry for f in frames]}
    await connection.execute(_INSERT_FRAMES, {"writer": writer, **columns})
    last = frames[-1]
    await connection.execute(_MOVE_WRITER, {"writer": writer, "seq": last.seq, "link": last.link})


async def lock_requests(connection: AsyncConnection, request_ids: Iterable[str]) -> list[Row[Any]]:
    """The rows of these requests, made where there were none, locked until the transaction ends."""
    ids = sorted(request_ids)
    await connection.execute(_OPEN_REQUESTS, {"ids": ids})
    return list(await connection.execute(_LOCK_REQUESTS, {"ids": ids}))


async def attempts(connection: AsyncConnection, request_ids: Iterable[str]) -> list[AttemptRow]:
    """Every attempt of these requests."""
    rows = await connection.execute(_ATTEMPTS, {"ids": list(request_ids)})
    return [AttemptRow(row.request_id, row.attempt, row.writer, row.body) for row in rows]


async def write_requests(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows locked before: each with every column of `ROW`, and `charged`.

    Raises DataError when one cannot be.
    """
    if rows:
        await connection.execute(_WRITE_REQUESTS, {"rows": _document(rows)})


async def write_attempts(connection: AsyncConnection, rows: Sequence[AttemptRow]) -> None:
    """Insert or replace attempts."""
    if rows:
        await connection.execute(_WRITE_ATTEMPTS, {"rows": _document([row._asdict() for row in rows])})


def _document(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as one JSON array, which crosses to the database faster than arrays of columns.

    PostgreSQL's text has no NUL, which a client may have put into a model's name: it becomes U+FFFD.
    """
    return orjson.dumps(rows).decode().replace(r"\u0000", r"\ufffd")


async def silent(connection: AsyncConnection, *, concluded: float, unseen: float, lost: float, limit: int) -> list[str]:
    """Open requests nobody has reported on for so many seconds: all attempts ended, none seen, or one never
    ended.
    """
    seconds = {"concluded": concluded, "unseen": unseen, "lost": lost, "limit": limit}
    return [row.request_id for row in await connection.execute(_SILENT, seconds)]


async def try_lead(connection: AsyncConnection) -> bool:
    """Whether this transaction may do the housekeeping; one at a time does."""
    return bool((await connection.execute(_TRY_LEAD)).scalar_one())


async def recent(
    engine: AsyncEngine, *, tenant: str = "", request_id: str = "", limit: int = 50
) -> tuple[list[Row[Any]], list[AttemptRow]]:
    """Requests, newest first, and all their attempts."""
    async with engine.connect() as connection:
        found = {"tenant": tenant, "request_id": request_id, "limit": limit}
        rows = list(await connection.execute(_RECENT, found))
        return rows, await attempts(connection, [row.request_id for row in rows])


async def holding(engine: AsyncEngine) -> list[str]:
    """Reservations of all requests that still hold budget."""
    async with engine.connect() as connection:
        return [row.reservation for row in await connection.execute(_HOLDING)]


async def outputs(engine: AsyncEngine, limit: int) -> list[Row[Any]]:
    """Tenant, model and attempt body of the newest completed requests, oldest first."""
    async with engine.connect() as connection:
        return list(await connection.execute(_OUTPUTS, {"limit": limit}))[::-1]


async def chains(engine: AsyncEngine, writer: str = "", *, batch: int = 500) -> AsyncIterator[tuple[str, Frame]]:
    """Every stored frame, writer by writer in order, as of one moment; in batches, so that memory stays
    bounded.
    """
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        result = await connection.stream(_CHAINS, {"writer": writer}, execution_options={"yield_per": batch})
        async for row in result:
            yield row.writer, Frame(row.seq, bytes(row.link), bytes(row.entry))


_OPEN_WRITER = text("INSERT INTO audit_writers VALUES (:writer, 0, :link) ON CONFLICT DO NOTHING")
_LOCK_WRITER = text("SELECT seq, link FROM audit_writers WHERE writer = :writer FOR UPDATE")
_READ_WRITER = text("SELECT seq, link FROM audit_writers WHERE writer = :writer")
_MOVE_WRITER = text("UPDATE audit_writers SET seq = :seq, link = :link WHERE writer = :writer")
_INSERT_FRAMES = text("""
    INSERT INTO audit_frames (writer, seq, link, entry)
    SELECT :writer, * FROM unnest(CAST(:seqs AS bigint[]), CAST(:links AS bytea[]), CAST(:entries AS bytea[]))""")
_OPEN_REQUESTS = text("""
    INSERT INTO audit_requests (request_id, at_micros) SELECT id, 0 FROM unnest(CAST(:ids AS text[])) AS id
    ON CONFLICT DO NOTHING""")
_LOCK_REQUESTS = text("""
    SELECT * FROM audit_requests WHERE request_id = ANY(CAST(:ids AS text[]))
    ORDER BY request_id COLLATE "C" FOR UPDATE""")
_ATTEMPTS = text("""
    SELECT request_id, attempt, writer, body FROM audit_attempts WHERE request_id = ANY(CAST(:ids AS text[]))
    ORDER BY request_id, attempt, writer""")
_TYPES = {
    "at_micros": "bigint", "http_status": "int", "cost_micro_usd": "bigint", "admitted": "bool", "final": "bool",
    "charged": "bigint[]",
}  # fmt: skip
_COLUMNS = (*ROW, "charged")
_DECLARED = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _COLUMNS)
_SET = ", ".join(f"{name} = n.{name}" for name in _COLUMNS[1:])
_WRITE_REQUESTS = text(
    f"UPDATE audit_requests r SET touched_at = clock_timestamp(), {_SET} "  # noqa: S608  names of our own
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
    f"AS n ({_DECLARED}) WHERE r.request_id = n.request_id"
)
_WRITE_ATTEMPTS = text("""
    INSERT INTO audit_attempts (request_id, attempt, writer, body)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (request_id text, attempt int, writer text, body jsonb)
    ON CONFLICT (request_id, attempt, writer) DO UPDATE SET body = excluded.body""")
# Rows being written to are skipped, and rows written to meanwhile are looked at again by PostgreSQL: nothing that
# was heard of after the look is returned.
_SILENT = text("""
    SELECT r.request_id FROM audit_requests r
    WHERE NOT r.final AND r.touched_at < clock_timestamp() - make_interval(secs => :concluded)
      AND r.touched_at < clock_timestamp() - make_interval(secs => (
        SELECT CASE WHEN count(*) = 0 THEN CAST(:unseen AS float)
                    WHEN bool_and(CAST(a.body ->> 'outcome' AS int) <> 0) THEN :concluded ELSE :lost END
        FROM audit_attempts a WHERE a.request_id = r.request_id))
    ORDER BY r.request_id COLLATE "C" LIMIT :limit FOR UPDATE OF r SKIP LOCKED""")
# Held until the transaction ends; the number spells "ledger" in ASCII.
_TRY_LEAD = text("SELECT pg_try_advisory_xact_lock(119178218857842)")
_RECENT = text("""
    SELECT * FROM audit_requests
    WHERE (CAST(:tenant AS text) = '' OR tenant = :tenant)
      AND (CAST(:request_id AS text) = '' OR request_id = :request_id)
    ORDER BY at_micros DESC, request_id DESC LIMIT :limit""")
_HOLDING = text("SELECT reservation FROM audit_requests WHERE holder <> ''")
_OUTPUTS = text("""
    SELECT r.tenant, r.model, a.body FROM audit_requests r JOIN audit_attempts a USING (request_id)
    WHERE r.final AND r.outcome = 'completed' ORDER BY r.at_micros DESC LIMIT :limit""")
_CHAINS = text("""
    SELECT writer, seq, link, entry FROM audit_frames WHERE CAST(:writer AS text) = '' OR writer = :writer
    ORDER BY writer, seq""")
