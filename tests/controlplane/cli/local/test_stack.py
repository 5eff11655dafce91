"""What can be known of the stack without starting it; the rest is in tests/e2e/test_gateway_up.py."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from controlplane.cli.local.children import StartError
from controlplane.cli.local.layout import Layout, StateError
from controlplane.cli.local.stack import Options, Stack, free_port


def test_a_port_in_use_is_refused_even_where_envoy_could_share_it() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} on 127.0.0.1 cannot be used"):
            free_port("127.0.0.1", port)
    assert free_port("127.0.0.1", port) == port
    assert free_port("127.0.0.1", 0) > 0


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(StartError, match="cannot be used"):
        free_port("192.0.2.1", 0)


async def test_a_state_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    lock = Layout.open(tmp_path).lock()
    (tmp_path / "endpoints.json").write_text('{"gateway": "http://127.0.0.1:8080"}')
    stack = Stack(Options(state=tmp_path, port=0), print)
    with pytest.raises(StateError, match="already running"):
        await stack.start()
    await stack.stop()
    assert (tmp_path / "endpoints.json").exists()
    lock.release()
