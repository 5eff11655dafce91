"""Reads the configuration into one `Snapshot`, in one transaction, and only what changed since the last.

Strategy: `config_revisions` is read first, inside the same REPEATABLE READ transaction as the tables, so
revision and content always belong together. Tables whose revision did not move keep their part of the
previous snapshot. Large tables arrive in parts, between which the event loop serves others. The snapshot's
revision is the sum of the tables' revisions: it rises with every change and is equal on every replica for
equal content.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kagamipb.policy.v1.policy_pb2 import RedactionPolicy
from sqlalchemy import Row, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from controlplane.domain.snapshot import (
    Price,
    Provider,
    Quota,
    Route,
    Snapshot,
    Target,
    Tenant,
    VirtualKey,
)
from controlplane.store import schema

_ROWS_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A snapshot and the revisions of the tables it was made from."""

    snapshot: Snapshot
    revisions: Mapping[str, int]


async def load(engine: AsyncEngine, previous: Loaded | None = None) -> Loaded:
    """The newest configuration; `previous` itself when nothing changed.

    Raises sqlalchemy.exc.SQLAlchemyError or OSError when the database cannot be asked.
    """
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            return await read(connection, previous)


async def read(connection: AsyncConnection, previous: Loaded | None = None) -> Loaded:
    """As `load`, inside a transaction the caller has begun."""
    revisions = await _revisions(connection)
    if previous is not None and previous.revisions == revisions:
        return previous
    old = previous or Loaded(Snapshot(revision=""), {})

    def changed(*tables: Table) -> bool:
        return any(revisions.get(table.name) != old.revisions.get(table.name) for table in tables)

    was = old.snapshot
    snapshot = Snapshot(
        revision=_total(revisions),
        tenants=await _tenants(connection) if changed(schema.tenants) else was.tenants,
        keys=await _keys(connection) if changed(schema.virtual_keys) else was.keys,
        providers=await _providers(connection) if changed(schema.providers) else was.providers,
        prices=await _prices(connection) if changed(schema.prices) else was.prices,
        routes=await _routes(connection) if changed(schema.routes, schema.route_targets) else was.routes,
        policies=await _policies(connection) if changed(schema.policies) else was.policies,
        quotas=await _quotas(connection) if changed(schema.quotas) else was.quotas,
    )
    return Loaded(snapshot, revisions)


async def revision(connection: AsyncConnection) -> str:
    """The revision as this transaction sees it, its own changes included."""
    return _total(await _revisions(connection))


def _total(revisions: Mapping[str, int]) -> str:
    return str(sum(revisions.values()))


async def _revisions(connection: AsyncConnection) -> dict[str, int]:
    table = schema.config_revisions
    rows = await connection.execute(select(table.c.kind, table.c.revision))
    return {row.kind: row.revision for row in rows}


async def _rows(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[Row[Any]]:
    result = await connection.stream(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    async for part in result.partitions():
        for row in part:
            yield row
        await asyncio.sleep(0)


async def _tenants(connection: AsyncConnection) -> dict[str, Tenant]:
    table = schema.tenants
    return {
        row.name: Tenant(**row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
        async for row in _rows(connection, select(table))
    }


async def _keys(connection: AsyncConnection) -> dict[bytes, VirtualKey]:
    # Keys share their sets of models: 100 000 keys rarely have more than a handful of them.
    sets: dict[tuple[str, ...], frozenset[str]] = {}
    keys = {}
    async for row in _rows(connection, select(schema.virtual_keys)):
        names = tuple(row.models)
        models = sets.setdefault(names, frozenset(names))
        keys[row.digest] = VirtualKey(
            row.key_id, row.tenant, row.name, row.digest, models, row.disabled, row.expires_at, sys.intern(row.team)
        )
    return keys


async def _providers(connection: AsyncConnection) -> dict[str, Provider]:
    return {
        row.name: Provider(**row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
        async for row in _rows(connection, select(schema.providers))
    }


async def _prices(connection: AsyncConnection) -> dict[tuple[str, str], tuple[Price, ...]]:
    prices: dict[tuple[str, str], tuple[Price, ...]] = {}
    async for row in _rows(connection, select(schema.prices).order_by(schema.prices.c.since)):
        price = Price(row.version, row.input, row.cached_input, row.output, row.reasoning, row.per_request, row.since)
        prices[row.provider, row.model] = (*prices.get((row.provider, row.model), ()), price)
    return prices


async def _routes(connection: AsyncConnection) -> dict[str, Route]:
    models = [row.model async for row in _rows(connection, select(schema.routes))]
    targets: dict[str, list[Target]] = {model: [] for model in models}
    table = schema.route_targets
    async for row in _rows(connection, select(table).order_by(table.c.route, table.c.position)):
        targets[row.route].append(Target(row.provider, row.model))
    return {model: Route(model, tuple(chosen)) for model, chosen in targets.items()}


async def _policies(connection: AsyncConnection) -> dict[str, RedactionPolicy]:
    return {row.name: RedactionPolicy.FromString(row.body) async for row in _rows(connection, select(schema.policies))}


async def _quotas(connection: AsyncConnection) -> dict[str, tuple[Quota, ...]]:
    quotas: dict[str, list[Quota]] = {}
    alert_at: dict[tuple[int, ...], tuple[int, ...]] = {}  # shared, as the keys' sets of models are
    table = schema.quotas
    async for row in _rows(connection, select(table).order_by(table.c.tenant, table.c.name)):
        values = dict(row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
        percents = tuple(values.pop("alert_at"))
        quota = Quota(**values, alert_at=alert_at.setdefault(percents, percents))
        quotas.setdefault(row.tenant, []).append(quota)
    return {tenant: tuple(own) for tenant, own in quotas.items()}
