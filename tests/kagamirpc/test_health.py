"""Health as the standard client asks for it."""

from __future__ import annotations

from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kagamirpc.health import Health
from kagamirpc.server import Server


async def test_health_follows_the_process(tmp_path: Path) -> None:
    able = True
    health = Health(lambda: able)
    server = Server(health.methods, max_message_bytes=1 << 16, on_error=lambda *_: None)
    await server.start(f"unix:{tmp_path}/s")
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.NOT_SERVING
        health.serving = True
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
        able = False
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.NOT_SERVING
    await server.stop(0)
