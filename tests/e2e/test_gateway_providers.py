"""Providers that fail, hang, lie or disappear: the next one answers, cleanly; or the client gets our own error."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai
import pytest
import trustme
from support.simulator import simulator_process
from support.stack import KEY, Gateway, Route

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ANSWER = "担当は高橋健一です。電話番号は03-1234-5678です。よろしくお願いします。"
GOOD: dict[str, Any] = {"content": ANSWER}
FAILURES: list[dict[str, Any]] = [
    {"status": 503}, {"status": 429}, {"status": 500}, {"hang": True}, {"reset_after": 0}, {"malformed": "garbage"},
]  # fmt: skip


def assert_private(text: str) -> None:
    assert [value for value in ("高橋健一", "03-1234-5678", "kenichi.takahashi") if value in text] == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: "-".join(f"{k}-{v}" for k, v in f.items()))
def test_the_next_provider_answers_with_clean_headers(gateway: Gateway, failure: dict[str, Any], stream: bool) -> None:
    route = gateway.route(failure, GOOD, first_byte_timeout_ms=700)
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", json=route.body(stream=stream))
    assert reply.status_code == 200, reply.text
    assert "よろしくお願いします。" in "".join(_texts(reply.text))
    assert_private(reply.text)
    first, second = route.records(route.providers[0]), route.records(route.providers[1])
    assert len(first) == len(second) == 1
    for number, record in enumerate((first[0], second[0])):
        headers = dict(record["headers"])
        assert headers["authorization"] == f"Bearer sk-provider-{number}-0123456789"
        assert set(headers) <= {"host", "content-type", "content-length", "accept", "user-agent", "authorization"}
    assert json.loads(first[0]["body"]) == json.loads(second[0]["body"])
    audited = gateway.stack.record(reply.headers["x-kagami-request-id"])
    assert [attempt["provider"] for attempt in audited["attempts"]] == list(route.providers)
    assert [attempt["outcome"] for attempt in audited["attempts"]][-1] == "completed"
    assert audited["outcome"] == "completed"


def _texts(body: str) -> list[str]:
    if not body.startswith("data:"):
        return [choice["message"]["content"] for choice in json.loads(body)["choices"]]
    events = [line[6:] for line in body.splitlines() if line.startswith("data: {")]
    return [choice["delta"].get("content") or "" for event in events for choice in json.loads(event)["choices"]]


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        ({"status": 503}, 502, "provider_error"),
        ({"status": 400}, 502, "provider_error"),
        ({"status": 401}, 502, "provider_error"),
        ({"status": 429}, 429, "rate_limit_exceeded"),
        ({"hang": True}, 504, "provider_timeout"),
        ({"reset_after": 0}, 502, "provider_error"),
        ({"malformed": "html"}, 502, "provider_error"),
        ({"malformed": "json"}, 502, "provider_error"),
        ({"malformed": "empty"}, 502, "provider_error"),
    ],
    ids=str,
)
def test_when_all_fail_the_client_gets_our_own_words(
    gateway: Gateway, failure: dict[str, Any], status: int, code: str
) -> None:
    route = gateway.route(failure, failure, first_byte_timeout_ms=700)
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", json=route.body())
    error = reply.json()["error"]
    if failure == {"status": 400}:
        # What the provider thinks of the request is the request's fault; its text is not repeated.
        assert reply.status_code in {400, 502}
    else:
        assert (reply.status_code, error["code"]) == (status, code), reply.text
    assert set(error) == {"message", "type", "param", "code"}
    assert_private(reply.text)
    audited = gateway.stack.record(reply.headers["x-kagami-request-id"])
    assert audited["outcome"] != "completed"
    assert audited["http_status"] == reply.status_code
    assert 1 <= len(audited["attempts"]) <= 2


@pytest.mark.parametrize("fault", [{"reset_after": 6}, {"close_after": 6}, {"error_after": 6}], ids=str)
def test_an_answer_that_breaks_off_is_an_error_not_an_end(gateway: Gateway, fault: dict[str, Any]) -> None:
    route = gateway.route(GOOD | fault | {"chunk_chars": 2, "interval_ms": 5})
    seen: list[str] = []

    def read() -> None:
        messages: Any = [{"role": "user", "content": "担当者は？"}]
        with (
            openai.OpenAI(base_url=f"{gateway.stack.url}/v1", api_key=KEY, max_retries=0) as client,
            client.chat.completions.create(model=route.model, messages=messages, stream=True) as stream,
        ):
            for chunk in stream:
                seen.extend(choice.delta.content or "" for choice in chunk.choices)

    # The SDK raises its own error for an error event, its transport's for a connection cut.
    with pytest.raises((openai.APIError, httpx2.RemoteProtocolError)):
        read()
    assert_private("".join(seen))


def test_a_stream_that_stalls_is_ended(gateway: Gateway) -> None:
    route = gateway.route(GOOD | {"hang_after": 4, "chunk_chars": 2}, first_byte_timeout_ms=800, idle_timeout_ms=800)
    began, text = time.monotonic(), b""
    with gateway.stack.http() as http, http.stream("POST", "/chat/completions", json=route.body(stream=True)) as reply:
        assert reply.status_code == 200
        with contextlib.suppress(httpx.RemoteProtocolError):
            for piece in reply.iter_raw():
                text += piece
    # Far from the client's own patience of 30 seconds.
    assert time.monotonic() - began < 20
    assert b"[DONE]" not in text
    assert_private(text.decode(errors="replace"))


def test_a_provider_that_is_not_there_is_passed_over(gateway: Gateway) -> None:
    route = gateway.route({}, GOOD)
    # Port 1 of loopback: connections are refused.
    gateway.stack.apply(f"providers:\n  - {{name: {route.providers[0]}, url: 'http://127.0.0.1:1/v1'}}\n")
    deadline = time.monotonic() + 10
    with gateway.stack.http() as http:
        while True:
            before = len(route.records(route.providers[0]))
            reply = http.post("/chat/completions", json=route.body())
            assert reply.status_code == 200, reply.text
            if len(route.records(route.providers[0])) == before:
                break
            assert time.monotonic() < deadline
    audited = gateway.stack.record(reply.headers["x-kagami-request-id"])
    assert [attempt["outcome"] for attempt in audited["attempts"]][-1] == "completed"


def test_a_client_that_leaves_cancels_the_provider_and_settles_what_was_used(gateway: Gateway) -> None:
    # Three seconds of stream, left after the first piece.
    route = gateway.route(GOOD | {"chunk_chars": 1, "interval_ms": 50})
    with gateway.stack.http() as http, http.stream("POST", "/chat/completions", json=route.body(stream=True)) as reply:
        request_id = reply.headers["x-kagami-request-id"]
        next(reply.iter_raw())
        left = time.time()
    records = route.wait(lambda found: bool(found) and found[0]["outcome"] != "open")
    assert records[0]["outcome"] == "cancelled"
    # Measured: 2 to 5 ms; the bound leaves room for a busy machine.
    assert records[0]["ended_at"] - left < 1
    audited = gateway.stack.record(request_id)
    assert audited["outcome"] == "client_cancelled"
    assert audited["attempts"][0]["input_tokens"] > 0
    assert audited["cost_micro_usd"] > 0


def test_a_provider_behind_tls_is_verified_by_its_authority(gateway: Gateway, tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    leaf = authority.issue_cert("llm.example.com")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")
    options = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with simulator_process(*options, verify=False) as secure:
        for http2 in (False, True):
            route = _tls_route(gateway, secure.base("tls"), tmp_path / "ca.pem", http2=http2)
            gateway.wait_live(route)
            assert secure.records()[-1]["protocol"] == ("h2" if http2 else "http/1.1")
        route = _tls_route(gateway, secure.base("tls"), tmp_path / "stranger.pem", http2=False)
        count = len(secure.records())
        with gateway.stack.http() as http:
            body = {"model": route, "messages": [{"role": "user", "content": "x"}]}
            while (reply := http.post("/chat/completions", json=body)).json()["error"]["code"] in {
                "model_not_found", "no_provider_available",
            }:  # fmt: skip
                time.sleep(0.02)
        assert (reply.status_code, reply.json()["error"]["code"]) == (502, "provider_error"), reply.text
        assert len(secure.records()) == count


def _tls_route(gateway: Gateway, url: str, ca: Path, *, http2: bool) -> str:
    name = f"tls-{ca.stem}-{'h2' if http2 else 'h1'}"
    fields = {"name": name, "url": url, "ca_file": str(ca), "sni": "llm.example.com", "http2": http2}
    gateway.stack.apply(
        f"providers:\n  - {json.dumps(fields)}\n"
        f"prices:\n  - {{provider: {name}, model: {name}, input: 1, output: 1}}\n"
        f"routes:\n  - {{model: {name}, targets: [{name}]}}\n"
    )
    return name


def test_routes_know_nothing_of_each_other(gateway: Gateway) -> None:
    one, other = gateway.route(), gateway.route()
    assert isinstance(one, Route)
    with gateway.stack.http() as http:
        http.post("/chat/completions", json=one.body()).raise_for_status()
    assert (len(one.records()), len(other.records())) == (1, 0)
