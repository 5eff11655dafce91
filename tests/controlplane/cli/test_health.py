from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from support.admin import kagami

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses of one part that serves (TCP) and one that does not (unix)."""
    folder, servers, addresses = tmp_path_factory.mktemp("h"), [], []
    for status, address in ((SERVING, "127.0.0.1:0"), (NOT_SERVING, f"unix:{folder}/s")):
        server, checks = grpc.server(futures.ThreadPoolExecutor(2)), health.HealthServicer()
        checks.set("", status)
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
        port = server.add_insecure_port(address)
        server.start()
        servers.append(server)
        addresses.append(address.replace(":0", f":{port}"))
    yield addresses[0], addresses[1]
    for server in servers:
        server.stop(None).wait()


def test_it_succeeds_when_everything_serves(parts: tuple[str, str]) -> None:
    done = kagami("health", parts[0])
    assert (done.exit_code, done.stdout) == (0, f"{parts[0]}: serving\n")


def test_one_that_does_not_serve_or_does_not_answer_fails_the_whole(parts: tuple[str, str], tmp_path: Path) -> None:
    gone = f"unix:{tmp_path}/nobody"
    for bad, said in ((parts[1], "not serving yet"), (gone, "unavailable")):
        done = kagami("health", parts[0], bad)
        assert done.exit_code == 1
        assert f"{bad}: {said}" in done.stderr
        assert f"{parts[0]}: serving" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("nowhere",), ("unix:relative",)])
def test_wrong_usage_is_not_mistaken_for_bad_health(arguments: tuple[str, ...]) -> None:
    assert kagami("health", *arguments).exit_code == 2
