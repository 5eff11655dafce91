from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.admin.v1.admin_pb2_grpc import AdminStub
from support.manifests import manifest
from support.postgres import PostgresServer
from support.snapshots import PEPPER, SECRET, key, policy

from controlplane.admin.servicer import Admin, Administration
from controlplane.domain import keys, policies
from controlplane.store.holder import SnapshotHolder
from controlplane.store.migrations import upgrade
from controlplane.store.postgres import create_engine
from controlplane.store.snapshots import load

TOKEN = "an-admin-token-for-tests"


class Ledger:
    """Answers queries with what it was given."""

    async def budgets(self, request: pb.BudgetRequest) -> pb.BudgetReply:
        return pb.BudgetReply(budgets=[pb.Budget(quota=pb.Quota(tenant=request.tenant), settled=5)])

    async def audit(self, request: pb.AuditQuery) -> pb.AuditReply:
        return pb.AuditReply(records=[pb.AuditRecord(request_id=request.request_id)])

    async def export(self, request: pb.ExportRequest) -> AsyncIterator[pb.ExportedFrame]:
        for seq in (1, 2):
            yield pb.ExportedFrame(writer=request.writer, seq=seq)


@contextlib.asynccontextmanager
async def administering(database_url: str, address: str = "127.0.0.1:0") -> AsyncIterator[AdminStub]:
    engine, server = create_engine(database_url), grpc.aio.server()
    made = Administration(
        node="cp-0", engine=engine, snapshots=SnapshotHolder(), queries=Ledger(), envoys=lambda: {"envoy-0": "3"}, loaded=lambda: None,
        random=os.urandom, pepper=PEPPER, token=TOKEN,
    )  # fmt: skip
    Admin(made).add_to(server)
    port = server.add_insecure_port(address)
    await server.start()
    target = address if address.startswith("unix:") else f"127.0.0.1:{port}"
    async with grpc.aio.insecure_channel(target) as channel:
        yield AdminStub(channel)
    await server.stop(None)
    await engine.dispose()


METADATA = (("authorization", f"Bearer {TOKEN}"),)


async def apply(admin: AdminStub, message: pb.Manifest, **options: Any) -> pb.ApplyReply:
    return await admin.Apply(pb.ApplyRequest(manifest=message, **options), metadata=METADATA)


async def refusal(admin: AdminStub, change: Callable[[pb.Manifest], Any], **options: Any) -> str:
    message = manifest()
    change(message)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await apply(admin, message, **options)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    return raised.value.details() or ""


async def test_a_manifest_becomes_the_configuration(database_url: str) -> None:
    async with administering(database_url) as admin:
        reply = await apply(admin, manifest())
        assert ("create", "key", "acme/app") in [(one.verb, one.kind, one.name) for one in reply.changes]
        assert len(reply.changes) == 9
        assert list(reply.issued) == []
        engine = create_engine(database_url)
        loaded = (await load(engine)).snapshot
        await engine.dispose()
    assert loaded.revision == reply.revision
    assert loaded.keys[key().digest].models == frozenset({"*"})
    expected = policy(version="")
    assert loaded.policies["default"].version == policies.version(expected)
    assert [target.provider for target in loaded.routes["chat"].targets] == ["first", "second"]
    assert loaded.quotas["acme"][0].name == "monthly"


async def test_applying_again_changes_nothing_not_even_the_revision(database_url: str) -> None:
    async with administering(database_url) as admin:
        first = await apply(admin, manifest())
        second = await apply(admin, manifest(), prune=True)
    assert list(second.changes) == []
    assert second.revision == first.revision


async def test_a_dry_run_tells_and_does_nothing(database_url: str) -> None:
    async with administering(database_url) as admin:
        told = await apply(admin, manifest(), dry_run=True)
        done = await apply(admin, manifest())
    assert told.changes == done.changes
    assert list(told.issued) == []


async def test_updates_and_pruning_are_written(database_url: str) -> None:
    async with administering(database_url) as admin:
        await apply(admin, manifest())
        less = manifest()
        del less.providers[1], less.prices[1], less.routes[0].targets[1]
        less.tenants[0].disabled = True
        reply = await apply(admin, less, prune=True)
    assert [(one.verb, one.kind, one.name) for one in reply.changes] == [
        ("update", "tenant", "acme"),
        ("delete", "provider", "second"),
        ("delete", "price", "second/small"),
        ("update", "route", "chat"),
    ]


async def test_references_and_secrets_may_pass_from_one_object_to_another(database_url: str) -> None:
    first, second = manifest(), manifest()
    first.keys.add(tenant="acme", name="two", secret="another-secret-of-some-length", models=["*"])
    second.keys.add(tenant="acme", name="two", secret=SECRET, models=["*"])
    second.keys[0].secret = "another-secret-of-some-length"
    second.policies[0].name = second.tenants[0].policy = "strict"
    async with administering(database_url) as admin:
        await apply(admin, first)
        reply = await apply(admin, second, prune=True)
    assert {(one.verb, one.name) for one in reply.changes} == {
        ("create", "strict"),
        ("delete", "default"),
        ("update", "acme"),
        ("update", "acme/app"),
        ("update", "acme/two"),
    }


async def test_a_secret_made_here_is_told_once_and_never_stored(database_url: str) -> None:
    message = manifest()
    message.keys[0].ClearField("secret")
    async with administering(database_url) as admin:
        (issued,) = (await apply(admin, message)).issued
        again = await apply(admin, message)
    assert issued.secret.startswith(keys.PREFIX)
    assert list(again.issued) == []
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT key_id, digest FROM virtual_keys").fetchall()
    assert stored == [(issued.key_id, keys.digest(PEPPER, issued.secret))]


async def test_one_wrong_field_and_nothing_is_written(database_url: str) -> None:
    async with administering(database_url) as admin:
        details = await refusal(admin, lambda m: setattr(m.providers[1], "url", "nowhere"))
        assert details.startswith("provider 'second': url: ")
        assert "quota 'acme/monthly': model: " in await refusal(admin, lambda m: setattr(m.quotas[0], "model", "none"))
        everything = await apply(admin, manifest())
    assert {one.verb for one in everything.changes} == {"create"}


async def test_an_object_in_use_cannot_be_pruned(database_url: str) -> None:
    async with administering(database_url) as admin:
        await apply(admin, manifest())
        only = pb.Manifest(providers=manifest().providers[:1])
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await apply(admin, only, prune=True)
    assert "route 'chat': targets[1]: there is no provider 'second'" in (raised.value.details() or "")


async def test_over_tcp_the_token_is_needed(database_url: str) -> None:
    async with administering(database_url) as admin:
        for call in (
            admin.Apply(pb.ApplyRequest()),
            admin.Status(pb.StatusRequest()),
            admin.Budgets(pb.BudgetRequest()),
            admin.Audit(pb.AuditQuery()),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call
            assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.aio.AioRpcError):
            await admin.ExportChains(pb.ExportRequest()).read()


async def test_over_the_unix_socket_it_is_not(database_url: str, tmp_path: Path) -> None:
    async with administering(database_url, f"unix:{tmp_path}/cp.sock") as admin:
        status = await admin.Status(pb.StatusRequest())
    assert (status.node, dict(status.envoy_revisions)) == ("cp-0", {"envoy-0": "3"})


async def test_queries_are_the_ledgers(database_url: str) -> None:
    async with administering(database_url) as admin:
        budgets = await admin.Budgets(pb.BudgetRequest(tenant="acme"), metadata=METADATA)
        audit = await admin.Audit(pb.AuditQuery(request_id="r"), metadata=METADATA)
        frames = [frame.seq async for frame in admin.ExportChains(pb.ExportRequest(writer="w"), metadata=METADATA)]
    assert (budgets.budgets[0].settled, audit.records[0].request_id, frames) == (5, "r", [1, 2])


async def test_without_a_database_it_says_so(own_postgres: PostgresServer) -> None:
    url = own_postgres.url(own_postgres.create())
    upgrade(url)
    async with administering(url) as admin:
        own_postgres.stop()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await apply(admin, manifest())
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "the database cannot be reached" in (raised.value.details() or "")
    assert SECRET not in (raised.value.details() or "")


async def test_a_recognizer_that_could_run_away_is_refused_by_object_and_field(database_url: str) -> None:
    def change(message: pb.Manifest) -> None:
        message.policies[0].recognizers.add(entity="EMPLOYEE_ID", pattern="(a+)+$")

    async with administering(database_url) as admin:
        details = await refusal(admin, change)
        good = manifest()
        good.policies[0].recognizers.add(
            entity="EMPLOYEE_ID", pattern="EMP-[0-9]{6}", context=["社員"], checksum="luhn"
        )
        await apply(admin, good)
    assert details.startswith("policy 'default': recognizers[0].pattern: ")
