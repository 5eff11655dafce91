"""Records to table rows and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from controlplane.ledger.charge import usage
from controlplane.ledger.record import Attempt, Record
from controlplane.store import batches
from controlplane.store.ledger import ROW, AttemptRow
from controlplane.store.transactions import Connection

_DERIVED = {"cost_micro_usd"}
_FIELDS = [name for name in ROW if name not in _DERIVED]
_BODY = [field.name for field in fields(Attempt) if field.name not in {"attempt", "writer"}]


def record_of(values: Mapping[str, Any]) -> Record:
    """A request as stored (column by column), without its attempts."""
    return Record(**{name: values[name] for name in _FIELDS}, charged=list(values["charged"]))


def attempt_of(row: AttemptRow) -> Attempt:
    """An attempt as stored."""
    return Attempt(row.attempt, row.writer, **row.body)


async def locked(connection: Connection, request_ids: Iterable[str]) -> dict[str, Record]:
    """The records of these requests, locked until the transaction ends; new ones are empty."""
    ids = set(request_ids)
    records = {row["request_id"]: record_of(row) for row in await batches.lock_requests(connection, ids)}
    for row in await batches.attempts(connection, ids):
        records[row.request_id].attempts[row.attempt, row.writer] = attempt_of(row)
    for record in records.values():
        record.counted = usage(record)
    return records


async def write(connection: Connection, records: Iterable[Record]) -> None:
    """Store records locked before."""
    changed = list(records)
    if changed:
        attempts = [_row(record.request_id, attempt) for record in changed for attempt in record.attempts.values()]
        await batches.write(connection, [_request(record) for record in changed], attempts)


def _request(record: Record) -> dict[str, Any]:
    return {**{name: getattr(record, name) for name in ROW}, "charged": record.charged}


def _row(request_id: str, attempt: Attempt) -> AttemptRow:
    body = {name: getattr(attempt, name) for name in _BODY}
    return AttemptRow(request_id, attempt.attempt, attempt.writer, body)
