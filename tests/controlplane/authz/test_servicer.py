from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from envoy.service.auth.v3.external_auth_pb2_grpc import AuthorizationStub
from google.protobuf import json_format
from kagamipb.admin.v1.admin_pb2 import UNIT_CONCURRENT_REQUESTS, UNIT_MICRO_USD, UNIT_REQUESTS, UNIT_TOTAL_TOKENS
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT, ExchangeContext
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry
from kagamirpc.server import Server
from support.checks import CHAT, check_request
from support.snapshots import PEPPER, key, price, snapshot

from controlplane.authz.servicer import Authorizer, methods
from controlplane.domain import keys
from controlplane.domain.ports import Demand, Exhausted, Granted, Guess, RateLimit, Reservation, Unavailable
from controlplane.domain.snapshot import Tenant
from controlplane.store.holder import SnapshotHolder

NOW = 1_800_000_000_000_000


class Gate:
    """A quota gate that gives one prepared outcome and remembers what it was asked.

    To requests that may reach a provider of `spent`, it says that provider's quota is used up.
    """

    def __init__(self, outcome: Reservation | Exception, spent: Sequence[str] = ()) -> None:
        self.outcome, self.spent = outcome, spent
        self.demands: list[Demand] = []
        self.cancelled: list[Granted] = []

    async def reserve(self, demand: Demand, now: float) -> Reservation:
        self.demands.append(demand)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        for provider in self.spent:
            if provider in demand.providers:
                return Exhausted(f"of-{provider}", UNIT_REQUESTS, 5, None, provider=provider)
        return self.outcome

    def cancel(self, granted: Granted) -> None:
        self.cancelled.append(granted)

    def expected_output(self, tenant: str, model: str) -> int:
        return 300

    def expected_input(self, tenant: str, model: str, guess: Guess) -> int:
        return 2 * guess.tokens


class Log:
    """An audit log in memory, which can be made to refuse."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.broken = False

    def append(self, entry: bytes) -> None:
        if self.broken:
            raise OSError("disk full")
        self.entries.append(AuditEntry.FromString(entry))


class Bench:
    """An authorizer with everything around it in reach."""

    def __init__(self, outcome: Reservation | Exception = Granted("res-1", 0), **configuration: Any) -> None:
        self.gate, self.log = Gate(outcome), Log()
        self.holder = SnapshotHolder(snapshot(**configuration))
        numbers = itertools.count(1)
        self.authorizer = Authorizer(
            self.holder, self.gate, self.gate, self.log,
            digest=lambda secret: keys.digest(PEPPER, secret), max_request_bytes=1000,
            clock=lambda: NOW, random=lambda size: next(numbers).to_bytes(size),
        )  # fmt: skip

    async def check(self, body: Any = CHAT, **headers: str) -> CheckResponse:
        return await self.authorizer.check(check_request(body, **headers))


def passed(response: CheckResponse) -> dict[str, str]:
    """Headers of a request that may pass."""
    assert response.WhichOneof("http_response") == "ok_response"
    assert response.status.code == grpc.StatusCode.OK.value[0]
    return {option.header.key: option.header.value for option in response.ok_response.headers}


def refused(response: CheckResponse) -> tuple[int, str, dict[str, str]]:
    """Status, code and headers of a refused request."""
    assert response.WhichOneof("http_response") == "denied_response"
    assert response.status.code != 0
    denied = response.denied_response
    headers = {option.header.key: option.header.value for option in denied.headers}
    return denied.status.code, orjson.loads(denied.body)["error"]["code"], headers


def context(response: CheckResponse) -> ExchangeContext:
    return ExchangeContext.FromString(base64.urlsafe_b64decode(passed(response)["x-kagami-exchange"]))


async def test_an_admitted_request_carries_its_whole_decision_to_the_data_plane() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    bench = Bench(Granted("res-1", 77))
    sent = context(await bench.check(traceparent=trace, x_kagami_user="u", x_kagami_tags="a=b"))
    assert (sent.tenant, sent.key_id, sent.user, sent.traceparent) == ("acme", "key_1", "u", trace)
    assert (sent.policy.name, sent.policy.version) == ("default", "0123456789abcdef")
    assert (sent.client_dialect, sent.model_asked, sent.route_reason) == (DIALECT_OPENAI_CHAT, "chat", "priority")
    assert (sent.reservation_id, sent.max_output_tokens, dict(sent.tags)) == ("res-1", 77, {"a": "b"})
    assert sent.admitted_at_unix_micros == NOW
    assert [(target.provider, target.model, target.base_path) for target in sent.chain] == [
        ("first", "large", "/v1"),
        ("second", "small", "/v1"),
    ]
    assert sent.chain[0].prices.output_pico_usd_per_token == 8_000_000


async def test_the_chain_reaches_envoy_as_metadata_and_limits() -> None:
    response = await Bench().check()
    assert json_format.MessageToDict(response.dynamic_metadata) == {
        "priority_groups": [
            {"name": "0", "clusters": [{"cluster_name": "hop_first", "weight": 1}]},
            {"name": "1", "clusters": [{"cluster_name": "hop_second", "weight": 1}]},
        ],
        "request_id": context(response).request_id,
        "tenant": "acme",
        "key_id": "key_1",
    }
    headers = passed(response)
    assert headers["x-envoy-max-retries"] == "1"
    assert "x-envoy-upstream-rq-per-try-timeout-ms" not in headers


def asked_by_an_envoy_with(providers: str) -> CheckRequest:
    asked = check_request()
    asked.attributes.context_extensions["kagami_providers"] = providers
    return asked


async def test_only_providers_the_asking_envoy_holds_are_chosen() -> None:
    bench = Bench()
    for live, chosen in [("first,second", ["first", "second"]), ("other,second", ["second"]), ("first", ["first"])]:
        response = await bench.authorizer.check(asked_by_an_envoy_with(live))
        assert [target.provider for target in context(response).chain] == chosen
        groups = json_format.MessageToDict(response.dynamic_metadata)["priority_groups"]
        assert [group["clusters"][0]["cluster_name"] for group in groups] == [f"hop_{name}" for name in chosen]
        assert passed(response)["x-envoy-max-retries"] == str(len(chosen) - 1)


@pytest.mark.parametrize("live", ["", "other"])
async def test_an_envoy_that_holds_none_of_the_providers_gets_503(live: str) -> None:
    assert refused(await Bench().authorizer.check(asked_by_an_envoy_with(live)))[:2] == (503, "no_provider_available")


async def test_a_refusal_names_its_request_to_envoys_log_and_nothing_else() -> None:
    response = await Bench().check(b"not json")
    metadata = json_format.MessageToDict(response.dynamic_metadata)
    assert metadata == {"request_id": refused(response)[2]["x-kagami-request-id"]}


async def test_what_the_caller_sent_to_us_goes_no_further() -> None:
    removed = set((await Bench().check()).ok_response.headers_to_remove)
    assert {"authorization", "x-api-key", "api-key", "cookie", "x-kagami-user", "x-kagami-tags"} <= removed


async def test_header_values_are_text_and_overwrite_any_copy() -> None:
    for option in (await Bench().check()).ok_response.headers:
        assert option.header.raw_value == b""
        assert option.append_action == option.OVERWRITE_IF_EXISTS_OR_ADD


async def test_every_reply_names_its_request_and_the_audit_log_knows_it() -> None:
    bench = Bench()
    response = await bench.check()
    names = {option.header.key: option.header.value for option in response.ok_response.response_headers_to_add}
    assert names == {"x-kagami-request-id": context(response).request_id}
    _, _, headers = refused(await bench.check(b"{"))
    assert [entry.request_id for entry in bench.log.entries] == [
        names["x-kagami-request-id"],
        headers["x-kagami-request-id"],
    ]


async def test_an_admission_is_recorded_as_such() -> None:
    bench = Bench()
    await bench.check(x_kagami_user="u")
    (entry,) = bench.log.entries
    assert entry.WhichOneof("event") == "admitted"
    assert entry.at_unix_micros == NOW
    admitted = entry.admitted
    assert (admitted.tenant, admitted.key_id, admitted.model) == ("acme", "key_1", "chat")
    assert re.fullmatch("user-[0-9a-f]{16}", admitted.user)
    assert (list(admitted.providers), admitted.reservation_id) == (["first", "second"], "res-1")
    assert "山田" not in str(entry)


async def test_an_end_user_is_the_same_pseudonym_each_time_and_none_without_one() -> None:
    bench = Bench()
    for user in ("misaki@example.co.jp", "misaki@example.co.jp", "other", ""):
        await bench.check(x_kagami_user=user)
    users = [entry.admitted.user for entry in bench.log.entries]
    assert users[0] == users[1] != users[2]
    assert users[3] == ""
    assert "misaki" not in str(bench.log.entries)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (check_request(authorization="Bearer sk-wrong"), 401, "invalid_api_key"),
        (check_request(b"{"), 400, "invalid_request"),
        (check_request({"model": "chat"}), 400, "invalid_request"),
        (check_request(CHAT | {"model": "none"}), 404, "model_not_found"),
        (check_request(path="/v2"), 404, "unknown_url"),
        (check_request(x_envoy_auth_partial_body="true"), 413, "request_too_large"),
    ],
)  # fmt: skip
async def test_a_refusal_is_recorded_and_reserves_nothing(sent: CheckRequest, status: int, code: str) -> None:
    bench = Bench()
    assert refused(await bench.authorizer.check(sent))[:2] == (status, code)
    (entry,) = bench.log.entries
    assert (entry.denied.http_status, entry.denied.code) == (status, code)
    assert len(entry.denied.request_sha256) == 32
    assert bench.gate.demands == []


async def test_an_exhausted_budget_is_429_and_says_when_it_returns() -> None:
    bench = Bench(Exhausted("monthly", UNIT_MICRO_USD, 5, NOW / 1e6 + 3600.2))
    status, code, headers = refused(await bench.check())
    assert (status, code) == (429, "insufficient_quota")
    assert (headers["retry-after"], headers["x-should-retry"]) == ("3601", "false")
    assert bench.log.entries[0].denied.code == "insufficient_quota"


async def test_a_provider_whose_quota_is_used_up_is_passed_over() -> None:
    bench = Bench()
    whole = await bench.check()
    bench.gate.spent = ["first"]
    response = await bench.check()
    assert [target.provider for target in context(whole).chain] == ["first", "second"]
    assert [target.provider for target in context(response).chain] == ["second"]
    assert passed(response)["x-envoy-max-retries"] == "0"
    assert [demand.providers for demand in bench.gate.demands[1:]] == [("first", "second"), ("second",)]
    assert bench.log.entries[-1].HasField("admitted")


async def test_with_every_providers_quota_used_up_it_is_429() -> None:
    bench = Bench()
    bench.gate.spent = ["first", "second"]
    assert refused(await bench.check())[:2] == (429, "insufficient_quota")
    assert [demand.providers for demand in bench.gate.demands] == [("first", "second"), ("second",)]


async def test_a_lifetime_budget_names_no_time() -> None:
    _, _, headers = refused(await Bench(Exhausted("all", UNIT_REQUESTS, 5, None)).check())
    assert "retry-after" not in headers


@pytest.mark.parametrize(
    "limit", [Exhausted("rpm", UNIT_REQUESTS, 5, NOW / 1e6 + 9), Exhausted("c", UNIT_CONCURRENT_REQUESTS, 5, None)]
)
async def test_a_rate_is_worth_a_retry(limit: Exhausted) -> None:
    status, code, headers = refused(await Bench(limit).check())
    assert (status, code) == (429, "rate_limit_exceeded")
    assert int(headers["retry-after"]) >= 1
    assert "x-should-retry" not in headers


async def test_quotas_that_cannot_be_checked_are_503() -> None:
    assert refused(await Bench(Unavailable()).check())[:2] == (503, "quota_unavailable")


async def test_what_cannot_be_recorded_does_not_pass_and_its_budget_is_given_back() -> None:
    bench = Bench()
    bench.log.broken = True
    assert refused(await bench.check())[:2] == (503, "audit_unavailable")
    assert bench.gate.cancelled == [bench.gate.outcome]
    assert refused(await bench.check(b"{"))[:2] == (503, "audit_unavailable")
    bench.log.broken = False
    passed(await bench.check())


async def test_an_unforeseen_error_passes_nothing_and_tells_nothing() -> None:
    bench = Bench(RuntimeError("secret detail"))
    response = await bench.check()
    assert refused(response)[:2] == (503, "gateway_error")
    assert "secret detail" not in str(response)
    assert bench.log.entries[0].denied.code == "gateway_error"


async def test_an_error_after_the_grant_gives_the_budget_back() -> None:
    bench = Bench(Granted("res-1", -1))  # a clamp no message can carry
    assert refused(await bench.check())[:2] == (503, "gateway_error")
    assert bench.gate.cancelled == [bench.gate.outcome]


async def test_before_the_first_snapshot_nothing_passes() -> None:
    bench = Bench()
    bench.holder.current = None
    assert refused(await bench.check())[:2] == (503, "gateway_error")


async def test_a_new_configuration_changes_the_answer_at_once() -> None:
    bench = Bench()
    await bench.check()
    now = bench.holder.current
    assert now is not None
    route = now.routes["chat"]
    bench.holder.publish(replace(now, routes={"chat": replace(route, targets=route.targets[1:])}))
    response = await bench.check()
    assert [target.provider for target in context(response).chain] == ["second"]
    assert passed(response)["x-envoy-max-retries"] == "0"


async def test_models_are_answered_by_the_gateway_and_recorded() -> None:
    bench = Bench()
    response = await bench.authorizer.check(check_request(b"", path="/v1/models", method="GET"))
    assert response.denied_response.status.code == 200
    assert orjson.loads(response.denied_response.body)["data"][0]["id"] == "chat"
    assert (bench.log.entries[0].denied.http_status, bench.log.entries[0].denied.code) == (200, "models_listed")


async def test_it_serves_envoys_protocol(tmp_path: Path) -> None:
    bench = Bench()
    server = Server(methods(bench.authorizer), max_message_bytes=1 << 20, on_error=lambda *_: None)
    await server.start(f"unix:{tmp_path}/authz")
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/authz") as channel:
        passed(await AuthorizationStub(channel).Check(check_request()))
    await server.stop(0)


async def test_clients_are_told_how_their_rate_limits_stand() -> None:
    limits = (RateLimit("requests", 60, 0, NOW / 1e6 + 9),)
    response = await Bench(Granted("res-1", 0, limits)).check()
    told = {option.header.key: option.header.value for option in response.ok_response.response_headers_to_add}
    assert told["x-ratelimit-limit-requests"] == "60"
    full = Exhausted("rpm", UNIT_REQUESTS, 60, NOW / 1e6 + 9, limits)
    headers = refused(await Bench(full).check())[2]
    assert (headers["x-ratelimit-remaining-requests"], headers["x-ratelimit-reset-requests"]) == ("0", "9s")
    assert headers["retry-after"] == "9"


@pytest.mark.parametrize(
    ("unit", "kind"),
    [(UNIT_REQUESTS, "requests"), (UNIT_CONCURRENT_REQUESTS, "requests"), (UNIT_TOTAL_TOKENS, "tokens")],
)
async def test_a_rate_refusal_says_what_it_counts(unit: Any, kind: str) -> None:
    response = await Bench(Exhausted("q", unit, 5, NOW / 1e6 + 9)).check()
    assert orjson.loads(response.denied_response.body)["error"]["type"] == kind


async def test_the_input_is_held_as_forecast_and_recorded_as_estimated() -> None:
    bench = Bench()
    await bench.check()
    (entry,) = bench.log.entries
    assert entry.admitted.input_estimate > 0
    assert bench.gate.demands[0].input_tokens == 2 * entry.admitted.input_estimate


async def test_a_keys_team_is_part_of_what_is_asked_of_the_quota_gate() -> None:
    own = key(team="sales")
    bench = Bench(keys={own.digest: own})
    await bench.check()
    assert [demand.team for demand in bench.gate.demands] == ["sales"]


async def test_a_request_that_passed_without_a_quota_says_so_in_the_trail() -> None:
    bench = Bench(
        Granted("unmetered|q,0,1,5,", 0, unmetered=True), tenants={"acme": Tenant("acme", "default", unmetered=True)}
    )
    passed(await bench.check())
    (entry,) = bench.log.entries
    assert entry.admitted.unmetered
    assert entry.admitted.reservation_id == "unmetered|q,0,1,5,"
    assert [demand.unmetered for demand in bench.gate.demands] == [True]


async def test_a_price_comes_into_force_while_the_configuration_stays() -> None:
    now = NOW // 1_000_000
    own = {("first", "large"): (price(), price("3", "9", since=now + 60)), ("second", "small"): (price(),)}
    bench = Bench(prices=own)
    moments = iter((NOW, NOW + 59_000_000, NOW + 60_000_000))
    bench.authorizer._clock = lambda: next(moments)
    costs = [context(await bench.check()).chain[0].prices.output_pico_usd_per_token for _ in range(3)]
    assert costs == [8_000_000, 8_000_000, 9_000_000]
