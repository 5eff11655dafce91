from __future__ import annotations

import pytest
from support.exchange import context, encoded

from dataplane.exchange import headers
from dataplane.exchange.context import read


def test_only_named_headers_reach_the_provider():
    received = {
        ":path": b"/v1/chat/completions",
        ":authority": b"gateway",
        "content-type": b"application/json",
        "x-kagami-exchange": b"x",
        "x-envoy-attempt-count": b"1",
        "traceparent": b"t",
        "authorization": b"Bearer x",
        "openai-organization": b"org",
        "accept-encoding": b"gzip",
        "transfer-encoding": b"chunked",
    }
    made, removed = headers.to_provider(received, "/api/v1/chat/completions", 12, stream=True)
    assert set(received) - set(removed) == {":path", ":authority", "content-type"}
    assert made == {
        ":path": "/api/v1/chat/completions",
        "content-type": "application/json",
        "content-length": "12",
        "accept": "text/event-stream",
        "user-agent": "kagami",
    }


def test_only_named_headers_reach_the_client():
    received = {":status": b"200", "x-request-id": b"r", "openai-organization": b"o", "set-cookie": b"c", "date": b"d",
                "content-type": b"application/json; charset=x", "content-encoding": b"gzip", "x-kagami-provider": b"forged"}  # fmt: skip
    made, removed = headers.to_client(received, {"x-kagami-provider": "a"}, stream=False)
    assert set(received) - set(removed) == {":status", "content-type"}
    assert made["content-type"] == "application/json"
    assert made["x-kagami-provider"] == "a"


def test_the_client_learns_about_its_exchange_and_empty_facts_are_left_out():
    attempt = read({"x-kagami-exchange": encoded(context(route_reason=""))}, "a")
    shown = headers.exchange_headers(attempt, "ab", {"PERSON": 2, "ADDRESS": 1})
    assert shown == {
        "x-kagami-request-id": "r-1",
        "x-kagami-provider": "a",
        "x-kagami-model": "model-a",
        "x-kagami-request-sha256": "ab",
        "x-kagami-pii": "ADDRESS=1,PERSON=2",
    }
    assert "x-kagami-pii" not in headers.exchange_headers(attempt, "ab", {})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"7", "7"),
        (b"", None),
        (b"-1", None),
        (b"1.5", None),
        (b"Fri, 31 Dec 1999 23:59:59 GMT", None),
        (b"1" * 9, None),
    ],
)
def test_retry_after_is_seconds_or_nothing(value, shown):
    assert headers.retry_after({"retry-after": value}) == shown
