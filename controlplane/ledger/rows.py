"""Records to table rows and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from controlplane.ledger.record import Attempt, Record
from controlplane.store import ledger as store
from controlplane.store.ledger import ROW, AttemptRow

_DERIVED = {"cost_micro_usd"}
_FIELDS = [name for name in ROW if name not in _DERIVED]
_BODY = [field.name for field in fields(Attempt) if field.name not in {"attempt", "writer"}]


def record_of(row: Row[Any]) -> Record:
    """A request as stored, without its attempts."""
    values = row._mapping  # noqa: SLF001  the public name of SQLAlchemy's row mapping
    return Record(**{name: values[name] for name in _FIELDS}, charged=list(values["charged"]))


def attempt_of(row: AttemptRow) -> Attempt:
    """An attempt as stored."""
    return Attempt(row.attempt, row.writer, **row.body)


async def locked(connection: AsyncConnection, request_ids: Iterable[str]) -> dict[str, Record]:
    """The records of these requests, locked until the transaction ends; new ones are empty."""
    ids = set(request_ids)
    records = {row.request_id: record_of(row) for row in await store.lock_requests(connection, ids)}
    for row in await store.attempts(connection, ids):
        records[row.request_id].attempts[row.attempt, row.writer] = attempt_of(row)
    return records


async def write(connection: AsyncConnection, records: Iterable[Record]) -> None:
    """Store records locked before."""
    changed = list(records)
    if not changed:
        return
    await store.write_requests(connection, [_request(record) for record in changed])
    await store.write_attempts(connection, [_row(r.request_id, a) for r in changed for a in r.attempts.values()])


def _request(record: Record) -> dict[str, Any]:
    return {**{name: getattr(record, name) for name in ROW}, "charged": record.charged}


def _row(request_id: str, attempt: Attempt) -> AttemptRow:
    body = {name: getattr(attempt, name) for name in _BODY}
    return AttemptRow(request_id, attempt.attempt, attempt.writer, body)
