"""The guard on a real grpc.aio server, asked over the network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from kagamirpc.token import metadata

from controlplane.guard import OPEN, Guard

TOKEN = "cluster-token-0123456789-0123456789"
GUARDED = (
    "kagamipb.policy.v1.PolicyFeed",
    "kagamipb.ledger.v1.Ledger",
    "envoy.service.discovery.v3.AggregatedDiscoveryService",
    "some.later.Service",
)


async def unary(request: bytes, _context: Any) -> bytes:
    return request


async def stream(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


@asynccontextmanager
async def serving() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(interceptors=[Guard(TOKEN)])
    handlers = {
        "One": grpc.unary_unary_rpc_method_handler(unary),
        "Many": grpc.stream_stream_rpc_method_handler(stream),
    }
    for service in (*GUARDED, *OPEN):
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


async def codes(channel: grpc.aio.Channel, service: str, shown: Any) -> set[grpc.StatusCode]:
    one = channel.unary_unary(f"/{service}/One")(b"x", metadata=shown)
    many = channel.stream_stream(f"/{service}/Many")(metadata=shown)
    if await one.code() is grpc.StatusCode.OK:
        await many.done_writing()
    # Not admitted, a stream ends though its caller never sends a message.
    return {await one.code(), await many.code()}


@pytest.mark.parametrize("shown", [(), metadata(TOKEN[:-1]), metadata("x" * 40), (*metadata(TOKEN), *metadata(TOKEN))])
async def test_without_the_token_only_the_open_services_answer(shown: Any) -> None:
    async with serving() as channel:
        for service in GUARDED:
            assert await codes(channel, service, shown) == {grpc.StatusCode.UNAUTHENTICATED}
        for service in OPEN:
            assert await codes(channel, service, shown) == {grpc.StatusCode.OK}


async def test_with_the_token_every_service_answers() -> None:
    async with serving() as channel:
        for service in (*GUARDED, *OPEN):
            assert await codes(channel, service, metadata(TOKEN)) == {grpc.StatusCode.OK}


async def test_a_method_nobody_serves_is_refused_like_any_other() -> None:
    async with serving() as channel:
        call = channel.unary_unary("/no.such.Service/Method")(b"")
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_refusal_names_the_setting_and_not_the_token() -> None:
    async with serving() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{GUARDED[0]}/One")(b"", metadata=metadata("wrong" * 10))
    assert "KAGAMI_CLUSTER_TOKEN" in str(caught.value.details())
    assert TOKEN not in str(caught.value)


def test_what_is_open_is_administration_health_and_reflection() -> None:
    assert {name.rpartition(".")[2] for name in OPEN} == {"Admin", "Health", "ServerReflection"}
