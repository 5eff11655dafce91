from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from kagamipb.admin.v1.admin_pb2_grpc import add_AdminServicer_to_server
from support.admin import KnownAdmin


@pytest.fixture
def admin(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[KnownAdmin]:
    known = KnownAdmin()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    add_AdminServicer_to_server(known, server)
    path = tmp_path_factory.mktemp("a") / "s"
    server.add_insecure_port(f"unix:{path}")
    server.start()
    monkeypatch.setenv("KAGAMI_CONTROLPLANE", f"unix:{path}")
    yield known
    server.stop(None).wait()
