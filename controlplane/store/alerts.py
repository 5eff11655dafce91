"""Alerts as they wait: to be written to the audit trail, to be sent, to be looked at.

An alert is made by the transaction that settles (`accounts.settle`). Each waits for two things that any replica may
do, one at a time: rows another replica is busy with are skipped. Time is the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.webhooks import Alert
from controlplane.store.transactions import Connection, begin

CLAIM_SECONDS = 60.0
"""An attempt to send that says nothing for so long is taken for lost, and another replica tries."""


async def unwritten(connection: Connection, limit: int) -> list[Alert]:
    """Alerts the trail does not hold yet, locked until the transaction ends."""
    return _alerts(await (await connection.execute(_UNWRITTEN, {"limit": limit})).fetchall())


async def written(connection: Connection, alerts: Sequence[Alert], writer: str) -> None:
    """They are in this writer's chain."""
    for alert in alerts:
        await connection.execute(_WRITTEN, {**_key(alert), "writer": writer})


async def claim(engine: AsyncEngine, limit: int, *, each: int) -> list[Alert]:
    """Alerts whose time to be sent has come, `each` of one tenant at most; nobody else gets them for
    `CLAIM_SECONDS`.
    """
    async with begin(engine) as connection:
        rows = await connection.execute(_CLAIM, {"limit": limit, "each": each, "seconds": CLAIM_SECONDS})
        return _alerts(await rows.fetchall())


async def conclude(engine: AsyncEngine, alert: Alert, state: str, *, status: int, pause: float = 0.0) -> None:
    """What came of an attempt: `delivered`, `failed`, `none`, or `waiting` for so many seconds."""
    values = {**_key(alert), "state": state, "status": status, "pause": pause, "attempts": alert.attempts}
    async with begin(engine) as connection:
        await connection.execute(_CONCLUDE, values)


async def recent(engine: AsyncEngine, *, tenant: str, limit: int, in_trail: bool = False) -> list[Alert]:
    """Newest first; `in_trail`: only those the audit trail holds."""
    async with engine.connect() as connection:
        rows = await connection.execute(_RECENT, {"tenant": tenant, "limit": limit, "in_trail": in_trail})
        return _alerts(rows.all())


async def forget(engine: AsyncEngine) -> None:
    """Delete what happened more than 400 days ago; the trail keeps it."""
    async with begin(engine) as connection:
        await connection.execute(_FORGET)


def _key(alert: Alert) -> dict[str, Any]:
    return {"quota_id": alert.quota_id, "start": alert.start, "percent": alert.percent}


def _alerts(rows: Sequence[Any]) -> list[Alert]:
    return [Alert(*row) for row in rows]


_COLUMNS = """quota_id, start, percent, tenant, quota, unit, "window", settled, cap,
    (extract(epoch FROM created_at) * 1000000)::bigint, writer, state, attempts, last_status"""
_ONE = "(quota_id, start, percent) = (%(quota_id)s, %(start)s, %(percent)s)"
_UNWRITTEN = f"""
    SELECT {_COLUMNS} FROM quota_alerts WHERE writer = '' ORDER BY created_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED"""  # noqa: S608  names of our own
_WRITTEN = f"UPDATE quota_alerts SET writer = %(writer)s WHERE {_ONE}"  # noqa: S608
_CLAIM = f"""
    WITH due AS (
        SELECT quota_id, start, percent, row_number() OVER (PARTITION BY tenant ORDER BY next_at) AS place
        FROM quota_alerts WHERE state = 'waiting' AND next_at <= clock_timestamp()
    )
    UPDATE quota_alerts SET attempts = attempts + 1, next_at = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE (quota_id, start, percent) IN (
        SELECT a.quota_id, a.start, a.percent FROM quota_alerts a JOIN due d USING (quota_id, start, percent)
        WHERE d.place <= %(each)s AND a.state = 'waiting' AND a.next_at <= clock_timestamp()
        ORDER BY a.next_at LIMIT %(limit)s FOR UPDATE OF a SKIP LOCKED)
    RETURNING {_COLUMNS}"""  # noqa: S608
# A claim that ran out and was taken by another replica is not this one's any more.
_CONCLUDE = f"""
    UPDATE quota_alerts SET state = %(state)s, last_status = %(status)s,
        next_at = clock_timestamp() + make_interval(secs => %(pause)s)
    WHERE {_ONE} AND attempts = %(attempts)s AND state = 'waiting'"""  # noqa: S608
_RECENT = text(f"""
    SELECT {_COLUMNS} FROM quota_alerts
    WHERE (CAST(:tenant AS text) = '' OR tenant = :tenant) AND (NOT :in_trail OR writer <> '')
    ORDER BY created_at DESC, quota_id, start, percent DESC LIMIT :limit""")  # noqa: S608
_FORGET = "DELETE FROM quota_alerts WHERE created_at < clock_timestamp() - interval '400 days'"
