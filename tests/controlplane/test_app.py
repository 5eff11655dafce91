from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import orjson
import pytest
from envoy.service.auth.v3.external_auth_pb2_grpc import AuthorizationStub
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kagamichain.journal import Journal, JournalError
from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.admin.v1.admin_pb2_grpc import AdminStub
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Denied
from kagamipb.policy.v1.policy_pb2 import WatchRequest
from kagamipb.policy.v1.policy_pb2_grpc import PolicyFeedStub
from kagamirpc import frames
from support.checks import check_request
from support.manifests import manifest
from support.postgres import PostgresServer
from support.snapshots import PEPPER

from controlplane.app import ControlPlane
from controlplane.settings import Settings, parse
from controlplane.store.migrations import upgrade


@dataclass(frozen=True)
class Replica:
    plane: ControlPlane
    channel: grpc.aio.Channel
    checks: grpc.aio.Channel

    @property
    def admin(self) -> AdminStub:
        return AdminStub(self.channel)

    async def applied(self, message: pb.Manifest) -> pb.ApplyReply:
        """Applies and waits until this replica serves it."""
        reply = await self.admin.Apply(pb.ApplyRequest(manifest=message))
        while (await self.admin.Status(pb.StatusRequest())).revision != reply.revision:
            await asyncio.sleep(0.005)
        return reply

    async def status(self) -> int:
        """Of an ordinary chat request: 0 = may pass."""
        response = await AuthorizationStub(self.checks).Check(check_request())
        return response.denied_response.status.code

    async def records(self, count: int) -> list[pb.AuditRecord]:
        """Audit records, once there are so many."""
        while True:
            found = (await self.admin.Audit(pb.AuditQuery())).records
            if len(found) >= count:
                return list(found)
            await asyncio.sleep(0.01)


def settings_of(database_url: str, directory: Path, name: str) -> Settings:
    return parse(
        {
            "KAGAMI_DATABASE_URL": database_url,
            "KAGAMI_NODE": name,
            "KAGAMI_LISTEN": f"unix:{directory}/{name}.sock",
            "KAGAMI_JOURNAL_DIR": str(directory / name),
            "KAGAMI_KEY_PEPPER": PEPPER.decode(),
            "KAGAMI_DATAPLANE_ENDPOINTS": f"unix:{directory}/dp.sock",
        }
    )


@contextlib.asynccontextmanager
async def running(database_url: str, directory: Path, name: str = "cp-0") -> AsyncIterator[Replica]:
    settings = settings_of(database_url, directory, name)
    journal = Journal.open(settings.journal_dir, settings.node)
    plane, stop = ControlPlane(settings, journal, {}), asyncio.Event()
    task = asyncio.create_task(plane.serve(stop))
    try:
        channels = grpc.aio.insecure_channel(settings.listen), grpc.aio.insecure_channel(settings.authz_listen)
        async with channels[0] as channel, channels[1] as checks:
            await serving(channel)
            await serving(checks)
            yield Replica(plane, channel, checks)
    finally:
        stop.set()
        await task
        journal.close()


async def serving(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    while True:
        reply = await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        if reply.status == health_pb2.HealthCheckResponse.SERVING:
            return
        await asyncio.sleep(0.005)


async def test_a_manifest_is_applied_and_a_request_admitted_and_recorded(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as replica:
        assert await replica.status() == 401
        await replica.applied(manifest())
        assert await replica.status() == 0
        admitted, denied = await replica.records(2)
    assert (admitted.tenant, admitted.model) == ("acme", "chat")
    assert (denied.code, denied.http_status) == ("invalid_api_key", 401)


async def test_every_replica_serves_what_was_applied_to_one(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as one, running(database_url, tmp_path, "cp-1") as two:
        await one.applied(manifest())
        while await two.status() == 401:
            await asyncio.sleep(0.005)
        assert await two.status() == 0


async def test_a_quota_refuses_what_does_not_fit_on_any_replica(database_url: str, tmp_path: Path) -> None:
    message = manifest()
    message.quotas[0].unit, message.quotas[0].cap = pb.UNIT_REQUESTS, 4
    async with running(database_url, tmp_path) as one, running(database_url, tmp_path, "cp-1") as two:
        await one.applied(message)
        while await two.status() == 401:
            await asyncio.sleep(0.005)
        # Nobody knows how often it was admitted while waiting: what counts is the sum, from the ledger.
        await asyncio.gather(*(replica.status() for replica in (one, two) for _ in range(10)))
        assert {await one.status(), await two.status()} == {429}
        while True:
            records = (await one.admin.Audit(pb.AuditQuery(limit=100))).records
            if len([record for record in records if record.code == "insufficient_quota"]) >= 18:
                break
            await asyncio.sleep(0.01)
    assert len([record for record in records if record.outcome == "open"]) == 4


async def test_data_planes_get_their_policies_from_the_same_server(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as replica:
        await replica.applied(manifest())
        stream = PolicyFeedStub(replica.channel).Watch(WatchRequest(node="dp-0"))
        assert [policy.name for policy in (await stream.read()).policies] == ["default"]
        stream.cancel()


async def test_only_its_own_user_may_use_the_socket(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path):
        for name in ("cp-0.sock", "cp-0.sock.authz"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


async def test_models_are_listed_in_openais_shape(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as replica:
        await replica.applied(manifest())
        response = await AuthorizationStub(replica.checks).Check(check_request(b"", path="/v1/models", method="GET"))
    assert orjson.loads(response.denied_response.body)["data"][0]["id"] == "chat"


async def test_without_a_database_the_last_configuration_stays_and_entries_wait(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    url = own_postgres.url(own_postgres.create())
    upgrade(url)
    message = manifest()
    del message.quotas[:]
    async with running(url, tmp_path) as replica:
        await replica.applied(message)
        own_postgres.stop()
        assert [await replica.status() for _ in range(5)] == [0] * 5
        own_postgres.start()
        assert len(await replica.records(5)) == 5


async def test_without_a_configuration_yet_checks_are_left_to_other_replicas(tmp_path: Path) -> None:
    settings = settings_of("postgresql://kagami@127.0.0.1:1/nowhere", tmp_path, "cp-0")
    journal, stop = Journal.open(settings.journal_dir, settings.node), asyncio.Event()
    task = asyncio.create_task(ControlPlane(settings, journal, {}).serve(stop))
    async with grpc.aio.insecure_channel(settings.authz_listen) as checks:
        health = await health_pb2_grpc.HealthStub(checks).Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await AuthorizationStub(checks).Check(check_request())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    stop.set()
    await task
    assert journal.head.seq == 0
    journal.close()


async def test_a_replica_told_to_stop_answers_until_envoy_has_seen_it(database_url: str, tmp_path: Path) -> None:
    settings = settings_of(database_url, tmp_path, "cp-0")
    journal, stop = Journal.open(settings.journal_dir, settings.node), asyncio.Event()
    task = asyncio.create_task(ControlPlane(settings, journal, {}).serve(stop))
    async with grpc.aio.insecure_channel(settings.authz_listen) as checks:
        await serving(checks)
        stop.set()
        health = health_pb2_grpc.HealthStub(checks)
        while (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING:
            await asyncio.sleep(0.005)
        response = await AuthorizationStub(checks).Check(check_request())
        assert response.denied_response.status.code == 401
        await task
    assert AuditEntry.FromString(journal.read(0, 1)[0].entry).denied.http_status == 401
    journal.close()


async def test_what_a_killed_predecessor_left_in_the_journal_is_shipped(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as replica:
        await replica.applied(manifest())
    journal = Journal.open(tmp_path / "cp-0", "cp-0")
    journal.append(AuditEntry(request_id="left-behind", denied=Denied(code="x")).SerializeToString())
    journal.close()
    async with running(database_url, tmp_path) as replica:
        (record,) = await replica.records(1)
    assert record.request_id == "left-behind"


async def test_a_replica_whose_journal_broke_for_good_ends_so_that_another_may_take_over(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(database_url, tmp_path, "cp-0")
    journal = Journal.open(settings.journal_dir, settings.node)
    running = asyncio.create_task(ControlPlane(settings, journal, {}).serve(asyncio.Event()))
    seq = journal.append(AuditEntry(request_id="r", denied=Denied(code="x")).SerializeToString()).seq
    read_end, write_end = os.pipe()  # fsync of a pipe fails with EINVAL, as a broken disk fails with EIO
    os.dup2(write_end, journal._fd)
    with pytest.raises(JournalError):
        await journal.durable(seq)
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(running, 20)
    assert caught.group_contains(JournalError, match="check the disk")
    journal.close()
    os.close(read_end)
    os.close(write_end)


async def test_an_address_it_cannot_take_is_named(database_url: str, tmp_path: Path) -> None:
    settings = settings_of(database_url, tmp_path, "cp-0")
    (tmp_path / "cp-0.sock").mkdir()
    with (
        contextlib.closing(Journal.open(settings.journal_dir, "cp-0")) as journal,
        pytest.raises(OSError, match=r"cannot listen on unix:.*cp-0\.sock"),
    ):
        await ControlPlane(settings, journal, {}).serve(asyncio.Event())


async def test_a_quiet_connection_may_be_pinged_as_often_as_its_callers_do(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as replica:
        path = replica.plane.settings.listen.removeprefix("unix:")
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(frames.PREFACE + frames.settings({}))
        # By default gRPC answers the fourth with GOAWAY "too_many_pings" and cuts the policy feed.
        for _ in range(5):
            writer.write(frames.frame(frames.PING, 0, 0, b"12345678"))
            await asyncio.sleep(1.05)
        received = await reader.read(65_536)
        writer.close()
    assert received.count(b"12345678") == 5
    assert b"too_many_pings" not in received
