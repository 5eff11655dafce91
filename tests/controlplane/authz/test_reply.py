from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import orjson
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from kagamipb.exchange.v1.exchange_pb2 import ExchangeContext
from support.snapshots import snapshot

from controlplane.authz import reply
from controlplane.domain import errors
from controlplane.domain.routing import chain

SNAPSHOT = snapshot()
PLAN = reply.plan("chat", chain(SNAPSHOT.routes["chat"], SNAPSHOT, 0.0))


def grant(**changes: Any) -> reply.Grant:
    values: dict[str, Any] = {
        "request_id": "r-1", "tenant": "acme", "key_id": "key_1", "user": "", "policy": "default",
        "policy_version": "v", "reservation_id": "", "max_output_tokens": 0, "paid_output_tokens": 0,
        "traceparent": "",
        "admitted_at_unix_micros": 1, "tags": {},
    }  # fmt: skip
    return reply.Grant(**(values | changes))


def headers(response: CheckResponse) -> dict[str, str]:
    return {option.header.key: option.header.value for option in response.ok_response.headers}


def context(response: CheckResponse) -> ExchangeContext:
    return ExchangeContext.FromString(base64.urlsafe_b64decode(headers(response)[reply.EXCHANGE_HEADER]))


def test_one_requests_grant_leaves_no_trace_in_the_next() -> None:
    first = reply.allow(PLAN, grant(request_id="r-1", user="u", tags={"a": "b"}, max_output_tokens=5))
    second = reply.allow(PLAN, grant(request_id="r-2"))
    assert (context(first).request_id, context(second).request_id) == ("r-1", "r-2")
    assert (context(second).user, dict(context(second).tags), context(second).max_output_tokens) == ("", {}, 0)
    assert len(second.ok_response.headers) == len(first.ok_response.headers)
    assert [target.provider for target in context(second).chain] == ["first", "second"]


def test_the_context_is_one_message_though_it_is_encoded_in_two_parts() -> None:
    sent = context(reply.allow(PLAN, grant(reservation_id="res")))
    assert ExchangeContext.FromString(sent.SerializeToString()) == sent
    assert (sent.model_asked, sent.reservation_id) == ("chat", "res")


def test_a_refusal_has_the_clients_shape_and_says_when_to_return() -> None:
    response = reply.deny(errors.insufficient_quota("monthly", 30), "r-1")
    said = {option.header.key: option.header.value for option in response.denied_response.headers}
    assert said["content-type"] == "application/json"
    assert (said["retry-after"], said["x-should-retry"], said["x-kagami-request-id"]) == ("30", "false", "r-1")
    assert orjson.loads(response.denied_response.body)["error"]["code"] == "insufficient_quota"
    assert response.denied_response.status.code == 429


def test_a_wrong_key_is_told_which_scheme_to_use() -> None:
    said = {
        option.header.key: option.header.value for option in reply.deny(errors.WRONG_KEY, "r").denied_response.headers
    }
    assert said["www-authenticate"] == "Bearer"


def test_nothing_but_an_ok_status_lets_a_request_pass() -> None:
    assert reply.allow(PLAN, grant()).status.code == 0
    assert reply.answer(200, b"{}", "r").status.code != 0
    assert reply.deny(errors.NO_PROVIDER, "r").status.code != 0


def test_rate_limits_are_told_on_answers_and_on_refusals() -> None:
    told = {"x-ratelimit-remaining-requests": "3"}
    passed = reply.allow(PLAN, grant(rates=told)).ok_response.response_headers_to_add
    refused = reply.deny(replace(errors.rate_limit_exceeded("rpm", 9), headers=tuple(told.items())), "r-1")
    for options in (passed, refused.denied_response.headers):
        assert ("x-ratelimit-remaining-requests", "3") in [(one.header.key, one.header.value) for one in options]
    assert len(reply.allow(PLAN, grant()).ok_response.response_headers_to_add) == 1
