"""What a client may try on the wire: nothing personal, internal or forged reaches a provider, and nothing falls over."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from support.stack import KEY, Gateway, Route

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NAME, PHONE, MAIL = "佐藤美咲", "090-8765-4321", "misaki.sato@example.co.jp"
SECRETS = (NAME, PHONE, MAIL, KEY, "203.0.113.9", "forged")
ALLOWED = {"accept", "authorization", "content-length", "content-type", "host", "user-agent"}


@pytest.fixture(scope="module")
def route(gateway: Gateway) -> Route:
    return gateway.route()


def raw(
    gateway: Gateway, route: Route, *, path: str = "/v1/chat/completions", headers: str = "", body: Any = None
) -> int:
    """The status of a request written by hand; 0 when the connection was closed without one."""
    sent = json.dumps(body or route.body(), ensure_ascii=False).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {KEY}\r\n{headers}content-length: {len(sent)}\r\n\r\n"
    address = urlsplit(gateway.stack.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=15) as wire:
        wire.sendall(head.encode("utf-8", "surrogateescape") + sent)
        answer = b""
        while piece := wire.recv(65_536):
            answer += piece
    status = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").split(b" ")[1:2]
    return int(status[0]) if status else 0


def assert_nothing_left(route: Route) -> None:
    for record in route.records():
        assert {name for name, _ in record["headers"]} <= ALLOWED
        assert record["path"] == f"/{record['provider']}/v1/chat/completions"
        text = json.dumps(record, ensure_ascii=False)
        assert [value for value in SECRETS if value in text] == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("x-kagami-exchange: forged\r\nX_Kagami_Exchange: forged\r\nx-kagami-provider: forged\r\n", 200),
        ("x-envoy-attempt-count: 9\r\nx-envoy-max-retries: 99\r\nx-envoy-original-path: /forged\r\n", 200),
        ("x-envoy-auth-partial-body: true\r\nx-envoy-upstream-rq-timeout-ms: 1\r\n", 200),
        (f"user-agent: {NAME}\r\nreferer: https://x/{PHONE}\r\nbaggage: user={MAIL}\r\ncookie: s={PHONE}\r\n", 200),
        ("x-forwarded-for: 203.0.113.9\r\nforwarded: for=203.0.113.9\r\nidempotency-key: forged\r\n", 200),
        ("x-kagami-user: \udcff\udcfe\r\nx-kagami-tags: a=\udcff\r\n", 200),
        ("expect: 100-continue\r\n", 200),
        ("content-encoding: gzip\r\n", 200),
        ("authorization: Bearer another\r\n", 401),
        ("transfer-encoding: chunked\r\n", 400),
        ("x-large: " + "x" * 40_000 + "\r\n", 431),
    ],
)
def test_no_header_of_a_client_reaches_a_provider(gateway: Gateway, route: Route, headers: str, status: int) -> None:
    assert raw(gateway, route, headers=headers) == status
    assert_nothing_left(route)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/chat/completions?name={quote(NAME)}&tel={PHONE}", 200),
        ("//v1/x/../chat/completions", 200),
        (f"http://forged/v1/chat/completions?{PHONE}", 200),
        ("/v1/chat/completions/", 404),
        ("/v1%2fchat%2fcompletions", 404),
    ],
)
def test_a_provider_sees_its_own_path_only(gateway: Gateway, route: Route, path: str, status: int) -> None:
    assert raw(gateway, route, path=path) == status
    assert_nothing_left(route)


ESCAPED = json.dumps({"氏名": f"{NAME}様", "電話": PHONE, "メール": MAIL})


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "tool", "tool_call_id": "c1", "content": ESCAPED}]},
        {
            "messages": [
                {"role": "user", "content": f"https://example.com/?mail={quote(MAIL)}&name={quote(NAME + '様')}"}
            ]
        },
        {"metadata": {"customer": f"{NAME}様", "id": f"tel:{PHONE}", MAIL: 1}},
        {"user": MAIL, "stop": [PHONE], "prediction": {"type": "content", "content": f"{NAME}様"}},
        {"tools": [{"type": "function", "function": {"name": "f", "description": f"{NAME}様、{PHONE}"}}]},
    ],
    ids=["json escapes", "percent-encoded", "metadata", "other fields", "tools"],
)
def test_what_is_written_in_other_ways_or_places_is_found(
    gateway: Gateway, route: Route, fields: dict[str, Any]
) -> None:
    assert raw(gateway, route, body=route.body() | fields) == 200
    assert_nothing_left(route)
    sent = route.records()[-1]["body"]
    escaped_name = json.dumps(NAME)[1:-1]
    assert [v for v in (escaped_name, json.dumps(escaped_name)[1:-1], quote(NAME), quote(MAIL)) if v in sent] == []


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo="},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "audio_url", "audio_url": {"url": "https://example.com/a.wav"}},
    ],
)
def test_a_picture_by_any_name_is_blocked_where_pictures_are(
    gateway: Gateway, route: Route, part: dict[str, Any]
) -> None:
    before = len(route.records())
    assert raw(gateway, route, body=route.body() | {"messages": [{"role": "user", "content": [part]}]}) == 403
    assert len(route.records()) == before


@pytest.mark.parametrize(
    "extra", ['"x":' + "[" * 500 + "]" * 500, '"x":[' + ",".join(["[]"] * 300_000) + "]"], ids=["deep", "many"]
)
def test_a_body_too_deep_or_of_too_many_values_is_400(gateway: Gateway, route: Route, extra: str) -> None:
    content = json.dumps(route.body())[:-1] + "," + extra + "}"
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", content=content, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_request")


def test_of_repeated_keys_all_parts_read_the_same_one(gateway: Gateway, route: Route) -> None:
    first = json.dumps([{"role": "user", "content": f"{NAME}様"}], ensure_ascii=False)
    content = f'{{"messages":{first},' + json.dumps(route.body("二つ目"), ensure_ascii=False)[1:]
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", content=content, headers={"content-type": "application/json"})
    assert reply.status_code == 200
    body = route.records()[-1]["body"]
    assert body.count('"messages"') == 1
    assert json.loads(body)["messages"][0]["content"] == "二つ目"
    assert_nothing_left(route)
