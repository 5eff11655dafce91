"""Bad requests through the whole stack: refused in OpenAI's shape, audited once, and nothing of them sent upstream."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from support.stack import KEY, OTHER_KEY, Gateway, Route

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

JSON = {"content-type": "application/json"}
LIMIT = 10 << 20


@pytest.fixture(scope="module")
def route(gateway: Gateway) -> Route:
    return gateway.route()


@pytest.fixture
def untouched(route: Route) -> Iterator[None]:
    before = len(route.records())
    yield
    assert len(route.records()) == before


def assert_refused(gateway: Gateway, reply: httpx.Response, status: int, code: str, param: str | None = None) -> None:
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (status, code, param), reply.text
    assert set(error) == {"message", "type", "param", "code"}
    assert reply.headers["content-type"] == "application/json"
    record = gateway.stack.record(reply.headers["x-kagami-request-id"])
    assert (record["outcome"], record["http_status"], record["code"]) == ("denied", status, code)
    assert record["attempts"] == []


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer sk-wrong"}, {"authorization": "Basic x"}, {"x-api-key": "y"}]
)
def test_without_a_good_key_it_is_401(gateway: Gateway, route: Route, headers: dict[str, str]) -> None:
    reply = httpx.post(f"{gateway.stack.url}/v1/chat/completions", json=route.body(), headers=headers, trust_env=False)
    assert_refused(gateway, reply, 401, "invalid_api_key")


@pytest.mark.usefixtures("untouched")
def test_an_unknown_model_is_404(gateway: Gateway, route: Route) -> None:
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", json=route.body() | {"model": "gpt-nonexistent"})
    assert_refused(gateway, reply, 404, "model_not_found", "model")


@pytest.mark.usefixtures("untouched")
def test_a_model_the_key_may_not_use_is_403(gateway: Gateway, route: Route) -> None:
    with gateway.stack.http(OTHER_KEY) as http:
        reply = http.post("/chat/completions", json=route.body())
    assert_refused(gateway, reply, 403, "model_not_allowed", "model")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": []}, "messages"),
        ({"model": 5}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"n": "two"}, "n"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": {}}, "tools"),
    ],
)
def test_a_wrong_field_is_400_and_named(gateway: Gateway, route: Route, change: dict[str, Any], param: str) -> None:
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", json=route.body() | change)
    assert_refused(gateway, reply, 400, "invalid_request", param)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model": "m", "messages": [{"role": "user"']
)
def test_what_is_no_json_object_is_400(gateway: Gateway, body: bytes) -> None:
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", content=body, headers=JSON)
    assert_refused(gateway, reply, 400, "invalid_request")


@pytest.mark.usefixtures("untouched")
def test_a_body_over_the_limit_is_413(gateway: Gateway, route: Route) -> None:
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", json=route.body("あ" * (4 << 20)))
    assert_refused(gateway, reply, 413, "request_too_large")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("held", [LIMIT, LIMIT + 1])
def test_a_body_over_the_limit_is_413_wherever_it_pauses(gateway: Gateway, route: Route, held: int) -> None:
    """Envoy decides on what it holds at the pause; a valid document of just that size must not pass for the body."""
    start = json.dumps(route.body())[:-1].encode()
    whole = start + b" " * (held - len(start) - 1) + b"}"

    def body() -> Iterator[bytes]:
        yield whole
        time.sleep(1)
        yield b" " * 1000

    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", content=body(), headers=JSON)
    assert_refused(gateway, reply, 413, "request_too_large")


def test_a_body_of_just_the_limit_passes(gateway: Gateway, route: Route) -> None:
    whole = json.dumps(route.body()).encode()
    with gateway.stack.http() as http:
        reply = http.post("/chat/completions", content=whole + b" " * (LIMIT - len(whole)), headers=JSON)
    assert reply.status_code == 200, reply.text


@pytest.mark.usefixtures("untouched")
def test_other_urls_and_methods_are_refused(gateway: Gateway) -> None:
    with gateway.stack.http() as http:
        assert_refused(gateway, http.get("/chat/completions"), 405, "method_not_allowed")
        assert_refused(gateway, http.post("/nothing", json={}), 404, "unknown_url")


def test_the_sdk_raises_its_own_errors(gateway: Gateway, route: Route) -> None:
    def call(key: str, model: str) -> None:
        with openai.OpenAI(base_url=f"{gateway.stack.url}/v1", api_key=key, max_retries=0) as client:
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}])

    with pytest.raises(openai.AuthenticationError):
        call("sk-wrong", route.model)
    with pytest.raises(openai.NotFoundError):
        call(KEY, "gpt-nonexistent")
    with pytest.raises(openai.PermissionDeniedError):
        call(OTHER_KEY, route.model)


def quota(gateway: Gateway, unit: str, cap: str, window: str = "lifetime") -> tuple[Route, str]:
    """A tenant of its own with one quota; its key."""
    route, tenant = gateway.route(), f"t{uuid.uuid4().hex[:10]}"
    secret = f"sk-{tenant}-0123456789"
    gateway.stack.apply(
        f"tenants:\n  - {{name: {tenant}, policy: redact}}\n"
        f"keys:\n  - {{tenant: {tenant}, name: k, secret: 'env:K', models: ['*']}}\n"
        f"quotas:\n  - {{name: cap, tenant: {tenant}, unit: {unit}, window: {window}, cap: {cap}}}\n",
        env={"K": secret},
    )
    with gateway.stack.http(secret) as http:
        answered = 0
        while answered < 4:
            answered = answered + 1 if http.get("/models").status_code == 200 else 0
    return route, secret


@pytest.mark.parametrize("stream", [False, True])
def test_of_eighty_parallel_requests_on_a_cap_of_four_exactly_four_pass(gateway: Gateway, stream: bool) -> None:
    route, secret = quota(gateway, "requests", "4")

    def one(number: int) -> httpx.Response:
        with gateway.stack.http(secret) as http:
            return http.post("/chat/completions", json=route.body(f"質問{number}", stream=stream))

    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(one, range(80)))
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses == [200] * 4 + [429] * 76
    refused = [reply for reply in replies if reply.status_code == 429]
    assert {reply.json()["error"]["code"] for reply in refused} == {"insufficient_quota"}
    assert len(route.records()) == 4
    assert_refused(gateway, refused[0], 429, "insufficient_quota")


@pytest.mark.parametrize("stream", [False, True])
def test_answers_and_refusals_tell_how_a_rate_limit_stands(gateway: Gateway, stream: bool) -> None:
    route, secret = quota(gateway, "requests", "2", "hour")
    told = []
    with gateway.stack.http(secret) as http:
        for _ in range(3):
            reply = http.post("/chat/completions", json=route.body("こんにちは", stream=stream))
            told.append((reply.status_code, reply.headers["x-ratelimit-limit-requests"]))
            assert 0 <= int(reply.headers["x-ratelimit-remaining-requests"]) <= 1
            assert reply.headers["x-ratelimit-reset-requests"].endswith("s")
    assert told == [(200, "2"), (200, "2"), (429, "2")]
    assert reply.headers["x-ratelimit-remaining-requests"] == "0"
    assert int(reply.headers["retry-after"]) <= 3600


def test_money_is_spent_to_the_cap_and_no_further(gateway: Gateway) -> None:
    # Each answer costs 1,010 to 1,020 micro-dollars: 100 tokens out at 10, few in at 2.50 dollars per million.
    route, secret = quota(gateway, "usd", "0.01")
    gateway.simulator.order(provider=route.providers[0], times=-1, completion_tokens=100, prompt_tokens=4)
    cost = 0
    with gateway.stack.http(secret) as http:
        while (reply := http.post("/chat/completions", json=route.body("こんにちは"))).status_code == 200:
            cost += gateway.stack.record(reply.headers["x-kagami-request-id"])["cost_micro_usd"]
            assert cost <= 10_000
    assert_refused(gateway, reply, 429, "insufficient_quota")
    assert cost >= 8_000, "refused long before the cap was used"
    budget = [b for b in _budgets(gateway) if b["quota"] == "cap" and b["settled"] == cost]
    assert budget
    assert budget[0]["settled"] + budget[0]["reserved"] <= budget[0]["cap"]


def _budgets(gateway: Gateway) -> list[dict[str, Any]]:
    from kagamipb.admin.v1.admin_pb2 import BudgetRequest

    from controlplane.cli.budget import as_dict

    with gateway.stack.admin() as stub:
        return [as_dict(budget) for budget in stub.Budgets(BudgetRequest(), timeout=10).budgets]


def test_a_blocked_entity_is_403_and_stays_here(gateway: Gateway) -> None:
    route, tenant = gateway.route(), f"t{uuid.uuid4().hex[:10]}"
    gateway.stack.apply(
        f"policies:\n  - {{name: {tenant}, enabled: true, rules: [{{entity: MY_NUMBER, request: block, response: mask}}]}}\n"
        f"tenants:\n  - {{name: {tenant}, policy: {tenant}}}\n"
        f"keys:\n  - {{tenant: {tenant}, name: k, secret: 'env:K', models: ['*']}}\n",
        env={"K": f"sk-{tenant}-0123456789"},
    )
    gateway.wait_live(route.model)
    with gateway.stack.http(f"sk-{tenant}-0123456789") as http:
        while (reply := http.post("/chat/completions", json=route.body("番号は？"))).status_code == 401:
            pass
        before = len(route.records())
        reply = http.post("/chat/completions", json=route.body("マイナンバーは2468 1357 9021です。"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "pii_blocked")
    assert "2468" not in reply.text
    assert gateway.stack.record(reply.headers["x-kagami-request-id"])["outcome"] == "blocked"
    assert len(route.records()) == before
    assert "2468 1357 9021" not in json.dumps(route.records())
