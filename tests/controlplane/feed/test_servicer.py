from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import grpc
from kagamipb.policy.v1.policy_pb2 import WatchRequest
from kagamipb.policy.v1.policy_pb2_grpc import PolicyFeedStub
from support.snapshots import policy, snapshot

from controlplane.feed.servicer import PolicyFeed
from controlplane.store.holder import SnapshotHolder


@contextlib.asynccontextmanager
async def feeding(holder: SnapshotHolder) -> AsyncIterator[PolicyFeedStub]:
    server = grpc.aio.server()
    PolicyFeed(holder, clock=lambda: 0.0).add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield PolicyFeedStub(channel)
    await server.stop(None)


async def test_a_data_plane_gets_the_set_and_then_each_change_of_a_policy() -> None:
    first = snapshot()
    holder = SnapshotHolder(first)
    async with feeding(holder) as feed:
        stream = feed.Watch(WatchRequest(node="dp-0"))
        assert [known.version for known in (await stream.read()).policies] == ["0123456789abcdef"]
        changed = replace(first, policies={"default": policy(version="f" * 16)})
        holder.publish(changed)
        assert [known.version[0] for known in (await stream.read()).policies] == ["f", "0"]
        stream.cancel()


async def test_other_changes_are_no_business_of_a_data_plane() -> None:
    first = snapshot()
    holder = SnapshotHolder(first)
    async with feeding(holder) as feed:
        stream = feed.Watch(WatchRequest(node="dp-0"))
        await stream.read()
        holder.publish(replace(first, tenants={}, revision="8"))
        holder.publish(replace(first, policies={}, revision="9"))
        assert (await stream.read()).revision == "9"
        stream.cancel()


async def test_a_version_current_for_a_moment_is_known_to_who_connects_later() -> None:
    first = snapshot()
    holder = SnapshotHolder(first)
    async with feeding(holder) as feed:
        for version in ("a" * 16, "b" * 16):
            holder.publish(replace(first, policies={"default": policy(version=version)}))
        stream = feed.Watch(WatchRequest(node="dp-0"))
        assert [known.version[0] for known in (await stream.read()).policies] == ["b", "0", "a"]
        stream.cancel()


async def test_the_stream_ends_when_the_holder_closes() -> None:
    holder = SnapshotHolder(snapshot())
    async with feeding(holder) as feed:
        stream = feed.Watch(WatchRequest(node="dp-0"))
        await stream.read()
        holder.close()
        assert await stream.read() is grpc.aio.EOF
