"""Through real sockets on HTTP/1.1: what each order does to an answer."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest

from controlplane.simulator.behaviour import Behaviour, Order
from controlplane.simulator.server import Server
from controlplane.simulator.service import Service, provider_of

BODY: dict[str, Any] = {"model": "sim-ja", "messages": [{"role": "user", "content": "予約をお願いします"}]}


def client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=5, trust_env=False)


async def post(server: Server, behaviour: dict[str, Any] | None = None, **fields: Any) -> httpx.Response:
    async with client(server) as http:
        return await http.post("/a/v1/chat/completions", json=BODY | {"sim": behaviour or {}} | fields)


def text_of(stream: bytes) -> str:
    events = [e[6:] for e in stream.decode().replace("\r\n", "\n").split("\n\n") if e.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return "".join(c["delta"].get("content") or "" for e in events[:-1] for c in json.loads(e)["choices"])


async def test_a_request_is_answered_and_recorded(server: Server, service: Service) -> None:
    reply = await post(server)
    assert reply.status_code == 200
    assert reply.json()["object"] == "chat.completion"
    record = service.ring.since(0, 10)[0]
    assert (record.provider, record.outcome, record.status) == ("a", "completed", 200)
    assert json.loads(record.body)["model"] == "sim-ja"
    assert record.usage == reply.json()["usage"]
    assert ("content-type", "application/json") in record.headers


@pytest.mark.parametrize("split", [1, 2, 7])
@pytest.mark.parametrize("crlf", [False, True])
async def test_cuts_change_nothing_of_what_is_said(server: Server, split: int, crlf: bool) -> None:
    whole = (await post(server)).json()["choices"][0]["message"]["content"]
    reply = await post(server, {"split_bytes": split, "crlf": crlf}, stream=True)
    assert text_of(reply.content) == whole


async def test_a_stream_can_be_compressed(server: Server) -> None:
    async with (
        client(server) as http,
        http.stream("POST", "/v1/chat/completions", json=BODY | {"stream": True, "sim": {"gzip": True}}) as reply,
    ):
        raw = b"".join([piece async for piece in reply.aiter_raw()])
    assert reply.headers["content-encoding"] == "gzip"
    assert "様" in text_of(gzip.decompress(raw)) or "です" in text_of(gzip.decompress(raw))


async def test_an_error_status_carries_openais_shape_and_headers(server: Server) -> None:
    reply = await post(server, {"status": 429, "headers": {"retry-after": "7"}})
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")
    assert "高橋健一" in reply.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [{"reset_after": 0}, {"reset_after": 3}, {"close_after": 3}])
async def test_a_fault_ends_the_connection_early(
    server: Server, service: Service, fault: dict[str, Any], stream: bool
) -> None:
    with pytest.raises(httpx.TransportError):
        await post(server, fault, stream=stream)
    assert service.ring.since(0, 10)[0].outcome == "fault"


async def test_a_client_that_leaves_is_noticed(server: Server, service: Service) -> None:
    async with client(server) as http:
        request = asyncio.create_task(http.post("/v1/chat/completions", json=BODY | {"sim": {"hang": True}}))
        while not service.ring.since(0, 1):
            await asyncio.sleep(0.001)
        request.cancel()
    while (record := service.ring.since(0, 1)[0]).outcome == "open":
        await asyncio.sleep(0.001)
    assert record.outcome == "cancelled"
    assert record.ended_at > record.at


async def test_an_answer_can_hang_in_the_middle(server: Server, service: Service) -> None:
    body = BODY | {"stream": True, "sim": {"hang_after": 2}}
    async with client(server) as http, http.stream("POST", "/v1/chat/completions", json=body) as reply:
        pieces = reply.aiter_raw()
        seen = b""
        while seen.count(b"\n\n") < 2:
            seen += await anext(pieces)
        assert service.ring.since(0, 1)[0].outcome == "open"


async def test_an_error_event_can_replace_the_rest(server: Server) -> None:
    reply = await post(server, {"error_after": 2}, stream=True)
    events = reply.text.strip().split("\n\n")
    assert len(events) == 3
    assert "error" in json.loads(events[2][6:])


@pytest.mark.parametrize("how", ["json", "html", "empty"])
async def test_a_body_can_be_malformed(server: Server, how: str) -> None:
    reply = await post(server, {"malformed": how})
    assert reply.status_code == 200
    with pytest.raises(ValueError):
        json.loads(reply.content)


async def test_an_answer_can_be_no_http_at_all(server: Server) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await post(server, {"malformed": "garbage"})


async def test_orders_come_before_the_models_name_and_the_body_before_both(server: Server, service: Service) -> None:
    service.script.place(Order(Behaviour(status=503), provider="a", times=1))
    assert (await post(server, {"status": 418}, model="sim:500")).status_code == 418
    assert (await post(server, model="sim:500")).status_code == 503
    assert (await post(server, model="sim:500")).status_code == 500


async def test_bad_requests_are_refused_as_openai_would(server: Server) -> None:
    reply = await post(server, messages=[])
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "messages")
    assert (await post(server, {"nonsense": 1})).status_code == 400
    async with client(server) as http:
        assert (await http.get("/v1/nothing")).status_code == 404
        assert (await http.get("/v1/models")).json()["object"] == "list"
        assert (await http.get("/_sim/health")).json() == {}


def test_the_first_segment_names_the_provider() -> None:
    assert provider_of("/v1/chat/completions") == "sim"
    assert provider_of("/openai/v1/chat/completions") == "openai"
