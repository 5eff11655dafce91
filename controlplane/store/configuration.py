"""Writes the difference of two catalogues, in the caller's transaction.

The triggers of migration 0001 raise the revision and wake every replica; nothing is written when nothing
changed, so the revision stays too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, TextClause, delete, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from controlplane.domain.catalogue import KINDS, Catalogue, Change
from controlplane.store import schema

# Bounds a statement's size.
_ROWS_AT_ONCE: Final = 1000


async def lock(connection: AsyncConnection) -> None:
    """Makes writers of the configuration wait for each other until the transaction ends."""
    kinds = schema.config_revisions.c.kind
    await connection.execute(select(kinds).order_by(kinds).with_for_update())


async def write(connection: AsyncConnection, after: Catalogue, changes: Sequence[Change]) -> None:
    """Writes `changes`, whose new values are in `after`."""
    # Few statements for many rows: each statement wakes the triggers once.
    for kind in reversed(KINDS):
        for part in _parts([one.name for one in changes if one.kind == kind and one.verb == "delete"]):
            await connection.execute(delete(_TABLES[kind]).where(_any_of(kind, part)))
    for kind in KINDS:
        for part in _parts([one.name for one in changes if one.kind == kind and one.verb != "delete"]):
            rows = json.dumps([_row(kind, name, after) for name in part], default=_bytea)
            await connection.execute(_upsert(kind), {"rows": rows})
    await _targets(connection, after, [one.name for one in changes if one.kind == "routes" and one.verb != "delete"])


async def _targets(connection: AsyncConnection, after: Catalogue, models: Sequence[str]) -> None:
    table = schema.route_targets
    for part in _parts(models):
        await connection.execute(delete(table).where(table.c.route.in_(part)))
        rows = [
            {"route": model, "position": position, "provider": target.provider, "model": target.model}
            for model in part
            for position, target in enumerate(after.routes[model].targets)
        ]
        await connection.execute(insert(table).values(rows))


def _parts(names: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (names[start : start + _ROWS_AT_ONCE] for start in range(0, len(names), _ROWS_AT_ONCE))


def _any_of(kind: str, names: Sequence[Any]) -> ColumnElement[bool]:
    columns = [_TABLES[kind].c[column] for column in _NAMED_BY[kind]]
    return tuple_(*columns).in_(names) if len(columns) > 1 else columns[0].in_(names)


def _upsert(kind: str) -> TextClause:
    """Rows as one JSON parameter: a statement that is compiled once, however many rows it writes."""
    table, named_by = _TABLES[kind].name, _NAMED_BY[kind]
    columns = [column.name for column in _TABLES[kind].columns]
    listed = ", ".join(f'"{column}"' for column in columns)
    changed = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in named_by)
    return text(
        f"INSERT INTO {table} ({listed}) SELECT {listed}"  # noqa: S608 - our own names
        f" FROM jsonb_populate_recordset(NULL::{table}, CAST(:rows AS jsonb))"
        f" ON CONFLICT ({', '.join(named_by)}) DO {f'UPDATE SET {changed}' if changed else 'NOTHING'}"
    )


_TABLES: Final[Mapping[str, Table]] = {kind: getattr(schema, kind) for kind in KINDS if kind != "keys"} | {
    "keys": schema.virtual_keys
}
_NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "policies": ("name",),
    "tenants": ("name",),
    "keys": ("tenant", "name"),
    "providers": ("name",),
    "prices": ("provider", "model", "since"),
    "routes": ("model",),
    "quotas": ("tenant", "name"),
}


def _bytea(value: bytes) -> str:
    return f"\\x{value.hex()}"


def _row(kind: str, name: Any, catalogue: Catalogue) -> dict[str, Any]:
    return _ROWS.get(kind, lambda _, value: asdict(value))(name, getattr(catalogue, kind)[name])


def _price_row(name: Any, value: Any) -> dict[str, Any]:
    row = asdict(value)
    return {"provider": name[0], "model": name[1], "per_request": row.pop("request"), **row}


_ROWS: Final[Mapping[str, Callable[[Any, Any], dict[str, Any]]]] = {
    "policies": lambda name, value: {
        "name": name,
        "version": value.version,
        "body": value.SerializeToString(deterministic=True),
    },
    "keys": lambda _, value: asdict(value) | {"models": sorted(value.models)},
    "prices": _price_row,
    "routes": lambda name, _: {"model": name},
}
