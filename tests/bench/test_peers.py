"""The side-by-side bench: what it sends, and what it counts as added."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import pytest
import uvloop

from bench import peers
from bench.stack import start_process, unused_port

ROUND = peers.Measured


def test_what_a_way_adds_is_counted_within_each_round() -> None:
    direct = [ROUND(1.0, 2.0, 900.0), ROUND(5.0, 9.0, 300.0), ROUND(1.0, 3.0, 800.0)]
    way = [ROUND(4.0, 7.0, 90.0), ROUND(9.0, 15.0, 30.0), ROUND(4.0, 7.0, 80.0)]

    assert peers.added({peers.DIRECT: direct, "PII on": way}, "PII on") == (3.0, 5.0)


def test_a_request_has_the_headers_of_its_way_and_a_prompt_of_its_own() -> None:
    way = peers.Way("Portkey", 8787, headers={"x-portkey-provider": "openai"})

    head, _, body = way.request(1).partition(b"\r\n\r\n")

    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:8787\r\n")
    assert b"\r\nx-portkey-provider: openai\r\n" in head
    assert b"authorization" not in head
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)["messages"] != json.loads(way.request(2).partition(b"\r\n\r\n")[2])["messages"]


def test_a_way_is_measured_against_a_provider(tmp_path: Path) -> None:
    port = unused_port()
    kagami = Path(sys.executable).with_name("kagami")
    with contextlib.ExitStack() as cleanup:
        process = start_process(cleanup, tmp_path / "log", [str(kagami), "simulator", "--port", str(port)])
        way = peers._ready(peers.Way("provider", port, "/sim/v1/chat/completions"), tmp_path / "log", process.poll)
        bench = peers.Bench(0.3)
        found = uvloop.run(bench.measure(way, 2))

    assert bench.errors == 0
    assert found.rate > 0
    assert 0 < found.p50 <= found.p95


def test_a_peer_that_does_not_start_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    program = tmp_path / "litellm"
    program.write_text("#!/bin/sh\necho cannot start here\n")
    program.chmod(0o755)

    said = r"(?s)LiteLLM does not answer.*cannot start here"
    with pytest.raises(RuntimeError, match=said), peers.peers(unused_port(), None, program):
        pass


def test_a_folder_without_portkey_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="npm install --prefix"), peers.peers(unused_port(), tmp_path, None):
        pass
