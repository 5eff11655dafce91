"""HTTP/2 with prior knowledge, driven frame by frame by a second h2 state machine."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h2.config
import h2.connection
import h2.events

from controlplane.simulator.server import Server
from controlplane.simulator.service import Service


class Client:
    """One connection; `exchange` runs until the given event type arrives on the stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.bodies: dict[int, bytes] = {}

    def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())

    def post(self, body: dict[str, Any]) -> int:
        number = self.h2.get_next_available_stream_id()
        names = {":method": "POST", ":path": "/b/v1/chat/completions", ":scheme": "http", ":authority": "x"}
        self.h2.send_headers(number, list(names.items()))
        self.h2.send_data(number, json.dumps(body).encode(), end_stream=True)
        self.bodies[number] = b""
        self.flush()
        return number

    async def until(self, kind: type[h2.events.Event], number: int) -> h2.events.Event:
        while data := await self.reader.read(65_536):
            found = None
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    self.bodies[event.stream_id] += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if isinstance(event, kind) and getattr(event, "stream_id", None) == number:
                    found = event
            self.flush()
            if found is not None:
                return found
        raise AssertionError("the server closed the connection")


async def connect(server: Server) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", server.port))


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "sim-ja", "messages": [{"role": "user", "content": "予約"}]} | fields


async def test_streams_are_answered_side_by_side(server: Server, service: Service) -> None:
    client = await connect(server)
    slow = client.post(body(sim={"delay_ms": 30}))
    quick = client.post(body(stream=True))
    await client.until(h2.events.StreamEnded, quick)
    assert client.bodies[quick].endswith(b"data: [DONE]\n\n")
    await client.until(h2.events.StreamEnded, slow)
    assert json.loads(client.bodies[slow])["object"] == "chat.completion"
    assert {(r.provider, r.protocol) for r in service.ring.since(0, 9)} == {("b", "h2")}
    client.writer.close()


async def test_a_body_beyond_the_window_waits_for_the_client(server: Server) -> None:
    client = await connect(server)
    number = client.post(body(sim={"huge_chars": 200_000}))
    await client.until(h2.events.StreamEnded, number)
    assert len(json.loads(client.bodies[number])["choices"][0]["message"]["content"]) == 200_000
    client.writer.close()


async def test_a_reset_in_mid_answer_reaches_the_client(server: Server) -> None:
    client = await connect(server)
    number = client.post(body(stream=True, sim={"reset_after": 2}))
    await client.until(h2.events.StreamReset, number)
    again = client.post(body())
    await client.until(h2.events.StreamEnded, again)
    client.writer.close()


async def test_a_stream_the_client_resets_is_recorded_as_cancelled(server: Server, service: Service) -> None:
    client = await connect(server)
    number = client.post(body(stream=True, sim={"hang_after": 1}))
    await client.until(h2.events.DataReceived, number)
    client.h2.reset_stream(number)
    client.flush()
    while service.ring.since(0, 1)[0].outcome == "open":
        await asyncio.sleep(0.001)
    assert service.ring.since(0, 1)[0].outcome == "cancelled"
    client.writer.close()
