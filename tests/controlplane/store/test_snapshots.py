from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine
from support import snapshots as values

from controlplane.domain.snapshot import Quota, Route, Target, Tenant
from controlplane.store import schema
from controlplane.store.postgres import create_engine
from controlplane.store.snapshots import load


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def fill(engine: AsyncEngine) -> None:
    policy, key = values.policy(), values.key()
    provider = {
        "name": "first", "dialect": 1, "tls": True, "host": "first.example", "port": 443, "base_path": "/v1",
        "key_ref": "", "ca_file": "", "sni": "", "first_byte_timeout_ms": 60_000, "idle_timeout_ms": 30_000,
        "http2": False,
    }  # fmt: skip
    quota = {"quota_id": "q1", "tenant": "acme", "name": "calls", "unit": 2, "window": 1, "cap": 4}
    scope = dict.fromkeys(("key", "model", "user", "provider", "team"), "")
    price = values.price()
    amounts = {name: getattr(price, name) for name in ("version", "input", "cached_input", "output", "reasoning")}
    async with engine.begin() as connection:
        for table, row in (
            (schema.policies, {"name": "default", "version": policy.version, "body": policy.SerializeToString()}),
            (schema.tenants, {"name": "acme", "display_name": "", "policy": "default", "time_zone": "UTC", "disabled": False}),
            (schema.virtual_keys, {"key_id": key.key_id, "tenant": "acme", "name": "app", "digest": key.digest, "models": ["*"], "disabled": False, "expires_at": 0}),
            (schema.providers, provider),
            (schema.prices, {"provider": "first", "model": "large", "per_request": 0, **amounts}),
            (schema.routes, {"model": "chat"}),
            (schema.route_targets, {"route": "chat", "position": 1, "provider": "first", "model": "small"}),
            (schema.route_targets, {"route": "chat", "position": 0, "provider": "first", "model": "large"}),
            (schema.quotas, quota | scope),
        ):  # fmt: skip
            await connection.execute(insert(table).values(row))


async def test_a_new_database_is_an_empty_configuration(engine: AsyncEngine) -> None:
    snapshot = (await load(engine)).snapshot
    assert snapshot.revision
    assert [*snapshot.tenants, *snapshot.keys, *snapshot.providers, *snapshot.routes] == []


async def test_what_is_stored_comes_back_as_values(engine: AsyncEngine) -> None:
    await fill(engine)
    snapshot = (await load(engine)).snapshot
    assert snapshot.tenants == {"acme": Tenant("acme", "default")}
    assert snapshot.keys == {values.key().digest: values.key()}
    assert snapshot.providers == {"first": values.provider("first")}
    assert snapshot.prices == {("first", "large"): (values.price(),)}
    assert snapshot.routes == {"chat": Route("chat", (Target("first", "large"), Target("first", "small")))}
    assert snapshot.policies == {"default": values.policy()}
    assert snapshot.quotas == {"acme": (Quota("q1", "calls", "acme", 2, 1, 4, alert_at=(50, 80, 95, 100)),)}


async def test_only_what_changed_is_read_again(engine: AsyncEngine) -> None:
    await fill(engine)
    before = await load(engine)
    assert await load(engine, before) is before
    async with engine.begin() as connection:
        await connection.execute(update(schema.tenants).values(disabled=True))
    after = await load(engine, before)
    assert after.snapshot.tenants["acme"].disabled
    assert after.snapshot.keys is before.snapshot.keys
    assert int(after.snapshot.revision) > int(before.snapshot.revision)


async def test_removing_a_row_changes_the_snapshot_too(engine: AsyncEngine) -> None:
    await fill(engine)
    before = await load(engine)
    async with engine.begin() as connection:
        await connection.execute(delete(schema.virtual_keys))
    assert (await load(engine, before)).snapshot.keys == {}


async def test_more_keys_than_are_read_at_once_all_arrive(engine: AsyncEngine) -> None:
    await fill(engine)
    rows = [
        {"key_id": f"key_n{n}", "tenant": "acme", "name": f"n{n}", "digest": n.to_bytes(32), "models": ["*"], "disabled": False, "expires_at": 0}
        for n in range(2500)
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(schema.virtual_keys), rows)
    assert len((await load(engine)).snapshot.keys) == 2501
