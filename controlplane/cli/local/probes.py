"""Whether a part of the local gateway is ready: each probe answers "" when it is, or why not yet.

Probes never raise for a part that is down. They ask what a user of the part would ask: PostgreSQL a query, a
plane its gRPC health, Envoy its readiness, and the whole a request without a key, which a working gateway
refuses with 401.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_SECONDS = 2.0
_MAX_REPLY = 4 << 20


class HttpReply(NamedTuple):
    """Status and body of a small reply."""

    status: int
    body: bytes


async def http(endpoint: str, method: str, path: str, body: bytes = b"", seconds: float = _SECONDS) -> HttpReply:
    """One HTTP/1.1 request to `unix:/path` or `host:port`. Raises OSError or TimeoutError."""
    async with asyncio.timeout(seconds):
        if endpoint.startswith("unix:"):
            reader, writer = await asyncio.open_unix_connection(endpoint.removeprefix("unix:"))
        else:
            reader, writer = await asyncio.open_connection(*_address(endpoint))
        head = f"{method} {path} HTTP/1.1\r\nhost: kagami\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        reply = await reader.read(_MAX_REPLY)
        while len(reply) < _MAX_REPLY and (more := await reader.read(_MAX_REPLY)):
            reply += more
        writer.close()
    start, _, content = reply.partition(b"\r\n\r\n")
    parts = start.split(b" ", 2)
    if len(parts) < 2 or not parts[1].isdigit():
        raise ConnectionError("the reply is not HTTP")
    return HttpReply(int(parts[1]), content)


async def postgres(url: str) -> str:
    """A query answered."""
    # Here, not above: `kagami health` runs every few seconds and asks no database.
    import psycopg

    try:
        connection = await psycopg.AsyncConnection.connect(url, connect_timeout=2, autocommit=True)
    except (psycopg.Error, OSError) as error:
        return str(error).strip().splitlines()[-1]
    async with connection:
        await connection.execute("SELECT 1")
    return ""


async def grpc_health(endpoint: str) -> str:
    """The gRPC health service says SERVING."""
    async with grpc.aio.insecure_channel(endpoint) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=_SECONDS, wait_for_ready=False)
        except grpc.aio.AioRpcError as error:
            return f"{endpoint}: {error.code().name.lower()}"
    serving = health_pb2.HealthCheckResponse.ServingStatus.SERVING
    return "" if reply.status == serving else f"{endpoint}: not serving yet"


async def envoy(admin: str) -> str:
    """Envoy has its first configuration."""
    try:
        reply = await http(admin, "GET", "/ready")
    except (OSError, TimeoutError, ConnectionError) as error:
        return f"Envoy's admin interface: {error or 'no answer'}"
    return "" if reply.status == 200 else f"Envoy is {reply.body.decode(errors='replace').strip()}"


async def gateway(endpoint: str) -> str:
    """A request without a key is refused by authz; anything else means that some part does not answer yet."""
    try:
        reply = await http(endpoint, "POST", "/v1/chat/completions", b"{}")
    except (OSError, TimeoutError, ConnectionError) as error:
        return f"http://{endpoint}: {error or 'no answer'}"
    return "" if reply.status == 401 else f"http://{endpoint} answers {reply.status} to a request without a key"


async def listening(endpoint: str) -> str:
    """Something accepts connections."""
    try:
        _, writer = await asyncio.open_connection(*_address(endpoint))
    except OSError as error:
        return f"{endpoint}: {error.strerror}"
    writer.close()
    return ""


def _address(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]"), int(port)


async def active_requests(admin: str) -> int:
    """Requests in flight through Envoy's outer listener; 0 when Envoy is gone."""
    try:
        reply = await http(admin, "GET", "/stats?filter=^http[.]gateway[.]downstream_rq_active$")
    except (OSError, TimeoutError, ConnectionError):
        return 0
    lines = [line.partition(": ") for line in reply.body.decode(errors="replace").splitlines()]
    return sum(int(value) for _, _, value in lines if value.strip().isdigit())
