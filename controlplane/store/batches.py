"""The write path of the ledger: statements inside a caller's transaction, as few as can be.

What a record means is the caller's business; here it is one row and a JSON document per attempt. Rows are
locked in the order of their ids, whoever comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from kagamichain.chain import START, Frame, Head

from controlplane.store.ledger import ROW, AttemptRow
from controlplane.store.transactions import Connection


async def lock_head(connection: Connection, writer: str) -> Head:
    """Where a writer's chain stands; no other transaction extends it until this one ends."""
    cursor = await connection.execute(_LOCK_WRITER, {"writer": writer, "link": START.link}, binary=True)
    rows = await cursor.fetchall()
    return Head(*rows[0])


async def extend(connection: Connection, writer: str, frames: Sequence[Frame]) -> None:
    """Store frames that follow the head locked before."""
    seqs, links, entries = zip(*frames, strict=True)
    await connection.execute(
        _EXTEND,
        {
            "writer": writer,
            "seqs": list(seqs),
            "links": list(links),
            "entries": list(entries),
            "seq": frames[-1].seq,
            "link": frames[-1].link,
        },
    )


async def lock_requests(connection: Connection, request_ids: Iterable[str]) -> list[Mapping[str, Any]]:
    """The rows of these requests (`ROW` and `charged`), made where there were none, locked until the end."""
    ids = sorted(request_ids)
    await connection.execute(_OPEN_REQUESTS, {"ids": ids})
    cursor = await connection.execute(_LOCK_REQUESTS, {"ids": ids}, binary=True)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in await cursor.fetchall()]


async def attempts(connection: Connection, request_ids: Iterable[str]) -> list[AttemptRow]:
    """Every attempt of these requests."""
    cursor = await connection.execute(_ATTEMPTS, {"ids": list(request_ids)})
    return [AttemptRow(row[0], row[1], row[2], orjson.loads(row[3])) for row in await cursor.fetchall()]


async def write(connection: Connection, requests: Sequence[Mapping[str, Any]], attempts_: Sequence[AttemptRow]) -> None:
    """Write rows locked before (`ROW` and `charged`), and insert or replace attempts.

    Raises psycopg.DataError when a row cannot hold a value.
    """
    documents = {"requests": _document(requests), "attempts": _document([row._asdict() for row in attempts_])}
    await connection.execute(_WRITE, documents)


async def silent(connection: Connection, *, concluded: float, unseen: float, lost: float, limit: int) -> list[str]:
    """Open requests nobody reported on for so many seconds, locked: all attempts ended, none seen, one never
    ended.
    """
    seconds = {"concluded": concluded, "unseen": unseen, "lost": lost, "limit": limit}
    return [row[0] for row in await (await connection.execute(_SILENT, seconds)).fetchall()]


async def try_lead(connection: Connection) -> bool:
    """Whether this transaction may do the housekeeping; one at a time does."""
    return bool((await (await connection.execute(_TRY_LEAD)).fetchall())[0][0])


def _document(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as one JSON array, which crosses to the database faster than arrays of columns.

    PostgreSQL's text has no NUL, which a client may have put into a model's name: it becomes U+FFFD.
    """
    return orjson.dumps(rows).decode().replace(r"\u0000", r"\ufffd")


# The update of nothing locks the row and returns it, in one statement.
_LOCK_WRITER = """
    INSERT INTO audit_writers AS w (writer, seq, link) VALUES (%(writer)s, 0, %(link)s)
    ON CONFLICT (writer) DO UPDATE SET seq = w.seq RETURNING seq, link"""
_EXTEND = """
    WITH stored AS (
        INSERT INTO audit_frames (writer, seq, link, entry)
        SELECT %(writer)s, * FROM unnest(%(seqs)s::bigint[], %(links)b::bytea[], %(entries)b::bytea[])
    )
    UPDATE audit_writers SET seq = %(seq)s, link = %(link)s WHERE writer = %(writer)s"""
_OPEN_REQUESTS = """
    INSERT INTO audit_requests (request_id, at_micros) SELECT id, 0 FROM unnest(%(ids)b::text[]) AS id
    ON CONFLICT DO NOTHING"""
_COLUMNS = (*ROW, "charged")
_LOCK_REQUESTS = f"""
    SELECT {", ".join(_COLUMNS)} FROM audit_requests WHERE request_id = ANY(%(ids)b::text[])
    ORDER BY request_id COLLATE "C" FOR UPDATE"""  # noqa: S608  names of our own
_ATTEMPTS = """
    SELECT request_id, attempt, writer, body::text FROM audit_attempts WHERE request_id = ANY(%(ids)b::text[])"""
_TYPES = {
    "at_micros": "bigint", "http_status": "int", "cost_micro_usd": "bigint", "admitted": "bool", "final": "bool",
    "charged": "bigint[]", "input_estimate": "bigint", "extensions": "text[]", "freed": "int",
}  # fmt: skip
_DECLARED = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _COLUMNS)
_SET = ", ".join(f"{name} = n.{name}" for name in _COLUMNS[1:])
_WRITE = f"""
    WITH attempted AS (
        INSERT INTO audit_attempts (request_id, attempt, writer, body)
        SELECT * FROM jsonb_to_recordset(%(attempts)s::jsonb)
            AS n (request_id text, attempt int, writer text, body jsonb)
        ON CONFLICT (request_id, attempt, writer) DO UPDATE SET body = excluded.body
    )
    UPDATE audit_requests r SET touched_at = clock_timestamp(), {_SET}
    FROM jsonb_to_recordset(%(requests)s::jsonb) AS n ({_DECLARED}) WHERE r.request_id = n.request_id"""  # noqa: S608
# Rows being written to are skipped, and rows written to meanwhile are looked at again by PostgreSQL: nothing that
# was heard of after the look is returned.
_SILENT = """
    SELECT r.request_id FROM audit_requests r
    WHERE NOT r.final AND r.touched_at < clock_timestamp() - make_interval(secs => %(concluded)s)
      AND r.touched_at < clock_timestamp() - make_interval(secs => (
        SELECT CASE WHEN count(*) = 0 THEN %(unseen)s::float
                    WHEN bool_and((a.body ->> 'outcome')::int <> 0) THEN %(concluded)s ELSE %(lost)s END
        FROM audit_attempts a WHERE a.request_id = r.request_id))
    ORDER BY r.request_id COLLATE "C" LIMIT %(limit)s FOR UPDATE OF r SKIP LOCKED"""
# Held until the transaction ends; the number spells "ledger" in ASCII.
_TRY_LEAD = "SELECT pg_try_advisory_xact_lock(119178218857842)"
