from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
import structlog
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.rpc import status_pb2
from kagamipb.exchange.v1.exchange_pb2 import Dialect

from controlplane.domain.snapshot import Provider, Snapshot
from controlplane.xds.gateway import Endpoint, GatewaySettings, endpoints
from controlplane.xds.packing import CLUSTER, LISTENER, ROUTE, SECRET
from controlplane.xds.secrets import SecretReader
from controlplane.xds.servicer import Xds

GATEWAY = GatewaySettings(Endpoint("127.0.0.1", 0), endpoints("unix:/cp"), endpoints("unix:/dp"))


def snapshot(revision: str, *names: str, key: str = "") -> Snapshot:
    providers = {
        name: Provider(
            name, Dialect.DIALECT_OPENAI_CHAT, tls=False, host="127.0.0.1", port=1, base_path="", key_ref=key
        )
        for name in names
    }
    return Snapshot(revision, providers=providers)


class Client:
    """An ADS client that acknowledges what it is told to."""

    def __init__(self, stream, node: str) -> None:
        self.stream = stream
        self.node = node

    async def ask(self, kind: str, *names: str) -> None:
        await self.stream.write(
            discovery_pb2.DiscoveryRequest(type_url=kind, resource_names=names, node=base_pb2.Node(id=self.node))
        )

    async def receive(self):
        return await asyncio.wait_for(self.stream.read(), 5)

    async def acknowledge(self, response, *names: str) -> None:
        await self.stream.write(
            discovery_pb2.DiscoveryRequest(
                type_url=response.type_url,
                version_info=response.version_info,
                response_nonce=response.nonce,
                resource_names=names,
            )
        )

    async def refuse(self, response) -> None:
        await self.stream.write(
            discovery_pb2.DiscoveryRequest(
                type_url=response.type_url,
                response_nonce=response.nonce,
                error_detail=status_pb2.Status(message="no good"),
            )
        )

    async def take(self, kind: str, *names: str):
        response = await self.receive()
        assert response.type_url == kind
        await self.acknowledge(response, *names)
        return response

    async def start(self) -> None:
        await self.ask(CLUSTER)
        await self.take(CLUSTER)
        await self.ask(LISTENER)
        await self.take(LISTENER)
        await self.ask(ROUTE, "gateway")
        await self.take(ROUTE, "gateway")


@contextlib.asynccontextmanager
async def serving(environment=None, **options) -> AsyncIterator[tuple[Xds, grpc.aio.Channel]]:
    xds = Xds(GATEWAY, SecretReader(environment or {}), **options)
    server = grpc.aio.server()
    xds.add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield xds, channel
    await server.stop(None)


def client(channel: grpc.aio.Channel, node: str = "envoy-1") -> Client:
    return Client(ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources(), node)


async def until(condition) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("the test waited in vain")


async def test_an_envoy_that_comes_early_waits_for_the_first_configuration():
    async with serving() as (xds, channel):
        envoy = client(channel)
        await envoy.ask(CLUSTER)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(reading := asyncio.ensure_future(envoy.stream.read())), 0.1)
        await xds.publish(snapshot("r1", "a"))
        assert "hop_a" in str(await asyncio.wait_for(reading, 5))


async def test_the_acknowledged_revision_is_known_per_envoy_and_forgotten_with_it():
    async with serving() as (xds, channel):
        await xds.publish(snapshot("r1"))
        one, two = client(channel, "one"), client(channel, "two")
        await one.start()
        await two.ask(CLUSTER)
        await until(lambda: xds.acknowledged() == {"one": "r1", "two": ""})
        one.stream.cancel()
        await until(lambda: xds.acknowledged() == {"two": ""})


async def test_a_refusal_is_logged_in_envoys_words():
    async with serving() as (xds, channel):
        await xds.publish(snapshot("r1"))
        envoy = client(channel)
        with structlog.testing.capture_logs() as logs:
            await envoy.ask(CLUSTER)
            await envoy.refuse(await envoy.receive())
            await until(lambda: any(entry["event"] == "xds.refused" for entry in logs))
        entry = next(entry for entry in logs if entry["event"] == "xds.refused")
        assert (entry["error"], entry["node"], entry["log_level"]) == ("no good", "envoy-1", "error")


async def test_a_removed_provider_goes_after_the_grace_period():
    async with serving(grace=0.05) as (xds, channel):
        await xds.publish(snapshot("r1", "a", "b"))
        envoy = client(channel)
        await envoy.start()
        await xds.publish(snapshot("r2", "a"))
        await envoy.take(ROUTE, "gateway")
        listeners = await envoy.take(LISTENER)
        clusters = await envoy.take(CLUSTER)
        assert "hop_b" not in str(listeners) + str(clusters)


async def test_an_unbuildable_snapshot_is_logged_and_the_last_one_stays():
    async with serving() as (xds, channel):
        await xds.publish(snapshot("r1", "a"))
        bad = Snapshot("r2", providers={"a": Provider("a", Dialect.DIALECT_OPENAI_CHAT, False, "127.0.0.1", -1, "")})
        with structlog.testing.capture_logs() as logs:
            await xds.publish(bad)
        assert [entry["event"] for entry in logs] == ["xds.unbuildable"]
        envoy = client(channel)
        await envoy.start()
        await until(lambda: xds.acknowledged() == {"envoy-1": "r1"})


async def test_a_rotated_secret_is_sent_without_a_new_snapshot_and_never_logged(tmp_path):
    key = tmp_path / "key"
    key.write_text("hunter2")
    async with serving(poll=0.02) as (xds, channel):

        async def snapshots():
            yield snapshot("r1", "a", key=f"file:{key}")
            await asyncio.Event().wait()

        with structlog.testing.capture_logs() as logs:
            running = asyncio.create_task(xds.run(snapshots()))
            envoy = client(channel)
            await envoy.ask(SECRET, "key_a")
            assert b"hunter2" in (await envoy.take(SECRET, "key_a")).resources[0].value
            (tmp_path / "next").write_text("hunter3")
            (tmp_path / "next").rename(key)
            assert b"hunter3" in (await envoy.take(SECRET, "key_a")).resources[0].value
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert "hunter" not in str(logs)


async def test_when_there_are_no_more_snapshots_envoys_are_let_go_at_once():
    async with serving() as (xds, channel):

        async def snapshots():
            yield snapshot("r1")

        envoy = client(channel)
        await envoy.ask(CLUSTER)
        await until(lambda: xds.acknowledged() == {"envoy-1": ""})
        await xds.run(snapshots())
        responses = [response.type_url async for response in envoy.stream]
        assert set(responses) <= {CLUSTER}
        assert xds.acknowledged() == {}


async def test_an_unusable_secret_is_reported_once_per_publication():
    async with serving() as (xds, _):
        with structlog.testing.capture_logs() as logs:
            await xds.publish(snapshot("r1", "a", key="env:NOT_SET"))
        warnings = [entry for entry in logs if entry["event"] == "xds.secret_unusable"]
        assert len(warnings) == 1
        assert "NOT_SET" in warnings[0]["problem"]
