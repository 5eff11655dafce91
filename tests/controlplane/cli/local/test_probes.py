from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from controlplane.cli.local import probes


class Answers:
    """An HTTP server with one canned reply and the request it got."""

    def __init__(self) -> None:
        self.reply = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nLIVE\n"
        self.request = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.request = await reader.readuntil(b"\r\n\r\n")
            writer.write(self.reply)
            await writer.drain()
        except asyncio.IncompleteReadError:
            pass  # Somebody only looked whether the port is open.
        finally:
            writer.close()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
async def address(answers: Answers) -> AsyncIterator[str]:
    server = await asyncio.start_server(answers.serve, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def test_a_gateway_is_ready_when_it_refuses_a_request_without_a_key(answers: Answers, address: str) -> None:
    answers.reply = b"HTTP/1.1 401 Unauthorized\r\n\r\n"
    assert await probes.gateway(address) == ""
    answers.reply = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
    assert await probes.gateway(address) == f"http://{address} answers 503 to a request without a key"


async def test_envoy_says_why_it_is_not_ready(answers: Answers, address: str) -> None:
    assert await probes.envoy(address) == ""
    answers.reply = b"HTTP/1.1 503 Service Unavailable\r\n\r\nPRE_INITIALIZING\n"
    assert await probes.envoy(address) == "Envoy is PRE_INITIALIZING"


async def test_requests_in_flight_are_counted(answers: Answers, address: str) -> None:
    answers.reply = b"HTTP/1.1 200 OK\r\n\r\nhttp.gateway.downstream_rq_active: 3\n"
    assert await probes.active_requests(address) == 3


async def test_a_reply_that_is_not_http_is_an_error(answers: Answers, address: str) -> None:
    answers.reply = b"hello"
    with pytest.raises(ConnectionError):
        await probes.http(address, "GET", "/")
    assert "not HTTP" in await probes.gateway(address)


async def test_what_is_down_is_a_reason_never_an_exception(tmp_path: Path) -> None:
    nobody = f"unix:{tmp_path}/none"
    assert "No such file" in await probes.envoy(nobody)
    assert await probes.gateway("127.0.0.1:1")
    assert await probes.listening("127.0.0.1:1")
    assert await probes.active_requests(nobody) == 0
    assert "unavailable" in await probes.grpc_health(nobody)
    assert await probes.postgres(f"postgresql://x@/x?host={tmp_path}")


async def test_something_that_listens_is_listening(address: str) -> None:
    assert await probes.listening(address) == ""


async def test_a_plane_is_ready_when_its_health_says_so(tmp_path: Path) -> None:
    servicer, server = health.HealthServicer(), grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    await servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    assert await probes.grpc_health(f"unix:{tmp_path}/s") == f"unix:{tmp_path}/s: not serving yet"
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    assert await probes.grpc_health(f"unix:{tmp_path}/s") == ""
    await server.stop(None)
