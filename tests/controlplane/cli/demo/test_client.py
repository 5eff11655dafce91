"""The demo's client against the simulated provider itself."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from controlplane.cli.demo.client import Client
from controlplane.simulator.behaviour import Behaviour, Order
from controlplane.simulator.server import Server, serve
from controlplane.simulator.service import Service


@pytest.fixture
def service() -> Service:
    return Service(Behaviour(content="はい、承知しました。", chunk_chars=2))


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    server: Server = await serve(service, "127.0.0.1", 0)
    made = Client(f"http://127.0.0.1:{server.port}/a/v1", "sk-test")
    yield made
    await made.close()
    await server.close()


async def test_a_stream_is_given_piece_by_piece_with_its_times(client: Client, service: Service) -> None:
    pieces: list[str] = []
    answer = await client.stream("sim-ja", "予約を", pieces.append)
    assert answer.text == "".join(pieces) == "はい、承知しました。"
    assert answer.chunks == len(pieces) == 5
    assert 0 < answer.first_token <= answer.seconds
    assert answer.sent_sha256 == hashlib.sha256(service.ring.since(0, 1)[0].body).hexdigest()


async def test_a_refusal_is_a_value(client: Client, service: Service) -> None:
    assert await client.refused("sim-ja", "予約を") is None
    service.script.place(Order(Behaviour(status=429, message="spent")))
    refusal = await client.refused("sim-ja", "予約を")
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.message) == (429, "simulated", "spent")
