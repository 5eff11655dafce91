from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from support.snapshots import PEPPER, SECRET, key, policy, snapshot

from controlplane.authz.decide import Allow, Answer, Deny, decide
from controlplane.authz.facts import Facts
from controlplane.domain import keys
from controlplane.domain.snapshot import Snapshot, Tenant

NOW = 1_800_000_000.0
CHAT = {"model": "chat", "messages": [{"role": "user", "content": "hello"}]}


def facts(body: Any = CHAT, secret: str | None = SECRET, **changes: Any) -> Facts:
    values: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/chat/completions",
        "key_digest": keys.digest(PEPPER, secret) if secret else None,
        "body": body if isinstance(body, bytes) else json.dumps(body).encode(),
        "partial": False,
    }
    return Facts(**(values | changes))


def decided(request: Facts, configuration: Snapshot | None = None) -> Allow | Deny | Answer:
    return decide(request, configuration or snapshot(), NOW, 1000)


def refusal(request: Facts, configuration: Snapshot | None = None) -> tuple[int, str]:
    decision = decided(request, configuration)
    assert isinstance(decision, Deny)
    return decision.problem.status, decision.problem.code


def with_key(**changes: Any) -> Snapshot:
    own = key(**changes)
    return snapshot(keys={own.digest: own})


def test_a_good_request_goes_to_the_routes_chain_under_its_tenants_name() -> None:
    allow = decided(facts(CHAT | {"user": "u-1"}))
    assert isinstance(allow, Allow)
    assert (allow.tenant.name, allow.key.key_id, allow.model, allow.user) == ("acme", "key_1", "chat", "u-1")
    assert [(hop.provider.name, hop.model) for hop in allow.hops] == [("first", "large"), ("second", "small")]


def test_the_user_header_wins_over_the_bodys_field() -> None:
    allow = decided(facts(CHAT | {"user": "body"}, user="header"))
    assert isinstance(allow, Allow)
    assert allow.user == "header"


def test_a_missing_or_wrong_key_is_401_whatever_else_is_wrong() -> None:
    for request in (facts(secret=None), facts(secret="sk-wrong")):
        assert refusal(request) == (401, "invalid_api_key")
    assert refusal(facts(b"{", secret="sk-wrong", path="/nowhere", partial=True)) == (401, "invalid_api_key")


def test_disabled_and_expired_keys_are_401() -> None:
    assert refusal(facts(), with_key(disabled=True)) == (401, "invalid_api_key")
    assert refusal(facts(), with_key(expires_at=int(NOW))) == (401, "invalid_api_key")
    assert isinstance(decided(facts(), with_key(expires_at=int(NOW) + 1)), Allow)
    disabled = snapshot(tenants={"acme": Tenant("acme", "default", disabled=True)})
    assert refusal(facts(), disabled) == (401, "invalid_api_key")
    assert refusal(facts(), snapshot(tenants={})) == (401, "invalid_api_key")


@pytest.mark.parametrize("path", ["/", "/v1/chat/completions/", "/v1/chat", "/v1/modelsx", "/V1/models", ""])
def test_unknown_urls_are_404(path: str) -> None:
    assert refusal(facts(path=path)) == (404, "unknown_url")


def test_wrong_methods_are_405() -> None:
    assert refusal(facts(method="GET")) == (405, "method_not_allowed")
    assert refusal(facts(path="/v1/models")) == (405, "method_not_allowed")


def test_a_body_that_was_cut_is_413() -> None:
    assert refusal(facts(b'{"model":', partial=True)) == (413, "request_too_large")


def test_a_body_of_just_the_limit_is_read_and_one_byte_more_is_413() -> None:
    whole = json.dumps(CHAT).encode()
    assert isinstance(decided(facts(whole + b" " * (1000 - len(whole)))), Allow)
    assert refusal(facts(whole + b" " * (1001 - len(whole)))) == (413, "request_too_large")


def test_a_bad_body_is_400() -> None:
    assert refusal(facts(b"{")) == (400, "invalid_request")
    assert refusal(facts({"model": "chat"})) == (400, "invalid_request")


def test_an_unknown_model_is_404_and_a_forbidden_one_403() -> None:
    assert refusal(facts(CHAT | {"model": "none"})) == (404, "model_not_found")
    assert refusal(facts(), with_key(models=frozenset({"other"}))) == (403, "model_not_allowed")
    assert isinstance(decided(facts(), with_key(models=frozenset({"chat"}))), Allow)


@pytest.mark.parametrize("model", ["a\x00b", "a\u202eb", "a\nb"])
def test_what_is_no_models_name_is_neither_stored_nor_shown_as_it_is(model: str) -> None:
    for request in (facts(CHAT | {"model": model}), facts(b"", method="GET", path=f"/v1/models/{quote(model)}")):
        denied = decided(request)
        assert isinstance(denied, Deny)
        assert denied.model == "ab"
        assert "'ab'" in denied.problem.message


def test_a_users_name_is_fit_to_be_stored() -> None:
    allow = decided(facts(CHAT | {"user": "山田\x00\n\ufeff" + "x" * 800}))
    assert isinstance(allow, Allow)
    assert allow.user == "山田" + "x" * 251


def test_no_price_no_provider_or_no_policy_is_503() -> None:
    assert refusal(facts(), snapshot(prices={})) == (503, "no_provider_available")
    assert refusal(facts(), snapshot(policies={"other": policy()})) == (503, "no_provider_available")


def test_a_denial_tells_who_asked_once_that_is_known() -> None:
    known, stranger = decided(facts(b"{")), decided(facts(secret="sk-wrong"))
    assert isinstance(known, Deny)
    assert isinstance(stranger, Deny)
    assert known.key is not None
    assert stranger.key is None


def test_the_list_of_models_holds_what_the_key_may_use() -> None:
    answer = decided(facts(b"", method="GET", path="/v1/models"))
    assert isinstance(answer, Answer)
    assert [model["id"] for model in orjson.loads(answer.body)["data"]] == ["chat"]
    nothing = decided(facts(b"", method="GET", path="/v1/models"), with_key(models=frozenset({"x"})))
    assert isinstance(nothing, Answer)
    assert orjson.loads(nothing.body)["data"] == []


def test_one_model_can_be_asked_for() -> None:
    answer = decided(facts(b"", method="GET", path="/v1/models/ch%61t"))
    assert isinstance(answer, Answer)
    assert orjson.loads(answer.body)["id"] == "chat"
    assert refusal(facts(b"", method="GET", path="/v1/models/none")) == (404, "model_not_found")


def demand(body: dict[str, Any], expected: int) -> Any:
    allow = decided(facts(CHAT | body))
    assert isinstance(allow, Allow)
    return allow.demand("r", expected, 7)


def test_a_demand_is_the_forecast_bounded_by_the_callers_own_limit() -> None:
    assert demand({}, 500).output_tokens == 500
    assert demand({"max_tokens": 100}, 500).output_tokens == 100
    assert demand({"max_tokens": 4000}, 500).output_tokens == 500
    assert demand({"n": 2}, 500).output_tokens == 500  # learned of all choices together
    assert demand({"n": 2, "max_tokens": 100}, 500).output_limit == 200


def test_a_demand_costs_what_the_dearest_attempt_would() -> None:
    allow = decided(facts(CHAT))
    assert isinstance(allow, Allow)
    wanted = allow.demand("r", 1000, 7)
    # 8 USD per million output tokens, 2 per million input tokens.
    assert (wanted.micro_usd, wanted.input_tokens) == (8000 + 2 * 7, 7)
    assert wanted.pico_usd_per_output_token == 8_000_000
    assert (wanted.providers, wanted.key, wanted.key_id) == (("first", "second"), "app", "key_1")


def test_the_input_is_guessed_by_the_vocabulary_that_needs_most() -> None:
    allow = decided(facts(CHAT | {"messages": [{"role": "user", "content": "東京都の予算を要約してください。" * 9}]}))
    assert isinstance(allow, Allow)
    one, two = (hop._replace(model=model) for hop, model in zip(allow.hops, ("gpt-4o", "claude-3"), strict=True))
    alone = [allow._replace(hops=(hop,)).guess() for hop in (one, two)]
    assert allow._replace(hops=(one, two)).guess() == max(alone, key=lambda guess: guess.tokens * guess.p95_permille)
    assert alone[0] != alone[1]
