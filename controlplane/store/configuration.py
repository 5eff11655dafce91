"""Writes the difference of two catalogues, in the caller's transaction.

The triggers of migration 0001 raise the revision and wake every replica; nothing is written when nothing
changed, so the revision stays too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controlplane.domain.catalogue import KINDS, Catalogue, Change
from controlplane.store import schema


async def lock(connection: AsyncConnection) -> None:
    """Makes writers of the configuration wait for each other until the transaction ends."""
    kinds = schema.config_revisions.c.kind
    await connection.execute(select(kinds).order_by(kinds).with_for_update())


async def write(connection: AsyncConnection, after: Catalogue, changes: Iterable[Change]) -> None:
    """Writes `changes`, whose new values are in `after`."""
    changes = list(changes)
    for kind in reversed(KINDS):
        for change in changes:
            if change.kind == kind and change.verb == "delete":
                await connection.execute(delete(_TABLES[kind]).where(*_identity(kind, change.name)))
    for kind in KINDS:
        created = [change for change in changes if change.kind == kind and change.verb == "create"]
        if created:
            rows = [_row(kind, change.name, after) for change in created]
            await connection.execute(insert(_TABLES[kind]), rows)
        for change in changes:
            if change.kind == kind and change.verb == "update":
                row = _row(kind, change.name, after)
                await connection.execute(update(_TABLES[kind]).where(*_identity(kind, change.name)).values(row))
    await _targets(connection, after, [change for change in changes if change.kind == "routes"])


async def _targets(connection: AsyncConnection, after: Catalogue, changes: Iterable[Change]) -> None:
    for change in changes:
        if change.verb != "delete":
            table = schema.route_targets
            await connection.execute(delete(table).where(table.c.route == change.name))
            rows = [
                {"route": change.name, "position": position, "provider": target.provider, "model": target.model}
                for position, target in enumerate(after.routes[change.name].targets)
            ]
            await connection.execute(insert(table), rows)


_TABLES: Final[Mapping[str, Table]] = {kind: getattr(schema, kind) for kind in KINDS if kind != "keys"} | {
    "keys": schema.virtual_keys
}
_NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "policies": ("name",),
    "tenants": ("name",),
    "keys": ("tenant", "name"),
    "providers": ("name",),
    "prices": ("provider", "model"),
    "routes": ("model",),
    "quotas": ("tenant", "name"),
}


def _identity(kind: str, name: Any) -> list[Any]:
    columns = _NAMED_BY[kind]
    values = name if len(columns) > 1 else (name,)
    return [_TABLES[kind].c[column] == value for column, value in zip(columns, values, strict=True)]


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
