"""The two-tier configuration in a real Envoy: chains, header hygiene, failing closed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest
import trustme
from support.gateway import Provider, Rig, providers, rig, snapshot

pytestmark = pytest.mark.e2e

CHAT = "/v1/chat/completions"


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Rig, Provider, Provider]]:
    async with providers("a", "b") as (a, b), rig() as running:
        running.environment.update(KEY_A="key-of-a", KEY_B="key-of-b")
        await running.start(snapshot("r1", a.config(key_ref="env:KEY_A"), b.config(key_ref="env:KEY_B")))
        yield running, a, b


async def post(running: Rig, body: bytes = b'{"x":1}', path: str = CHAT, **headers: str) -> httpx.Response:
    sent = {"authorization": "Bearer of-the-client"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with httpx.AsyncClient(base_url=running.base, trust_env=False, timeout=20) as client:
        return await client.post(path, content=body, headers=sent)


def code(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return str(error["code"])


async def test_the_first_of_the_chain_answers_with_its_own_credential_and_no_internal_header(gateway):
    running, a, b = gateway
    response = await post(running, x_test_chain="a,b")
    assert (response.status_code, response.json()) == (200, {"from": "a"})
    assert set(a.received[0].headers) == {"host", "content-length", "accept", "authorization"}
    assert a.received[0].headers["authorization"] == "Bearer key-of-a"
    assert a.received[0].headers["host"] == f"127.0.0.1:{a.port}"
    assert not b.received


@pytest.mark.parametrize("behaviour", ["503", "429", "500", "529", "reset"])
async def test_a_failing_provider_is_followed_by_the_next_with_clean_headers(gateway, behaviour):
    running, a, b = gateway
    a.behaviour = behaviour
    response = await post(running, x_test_chain="a,b")
    assert (response.status_code, response.json()) == (200, {"from": "b"})
    assert "x-kagami-retry" not in response.headers
    assert [exchange.provider for exchange in running.exchanges] == ["a", "b"]
    assert [exchange.headers["x-envoy-attempt-count"] for exchange in running.exchanges] == ["1", "2"]
    assert set(b.received[0].headers) == {"host", "content-length", "accept", "authorization"}
    assert b.received[0].headers["authorization"] == "Bearer key-of-b"
    assert b.received[0].body == a.received[0].body == b'{"x":1}'


async def test_an_unreachable_provider_is_told_apart_from_one_that_answered(gateway):
    running, a, _ = gateway
    await a.stop()
    response = await post(running, x_test_chain="a,b")
    assert response.json() == {"from": "b"}
    first, second = running.exchanges
    assert first.details.startswith("upstream_reset_before_response_started{remote_connection_failure")
    assert second.details == "via_upstream"


async def test_a_provider_that_keeps_failing_to_connect_is_skipped_for_a_while(gateway):
    running, a, _ = gateway
    await a.stop()
    for _ in range(8):
        assert (await post(running, x_test_chain="a,b")).json() == {"from": "b"}
    assert running.exchanges[-2].details == "no_healthy_upstream"


async def test_a_silent_provider_times_out_inside_its_hop_and_the_next_answers():
    async with providers("a", "b") as (a, b), rig() as running:
        a.behaviour = "hang"
        await running.start(snapshot("r1", a.config(first_byte_timeout_ms=150), b.config()))
        assert (await post(running, x_test_chain="a,b")).json() == {"from": "b"}
        assert (running.exchanges[0].status, running.exchanges[0].details) == ("504", "upstream_per_try_timeout")


async def test_the_last_failure_of_a_chain_reaches_the_client_and_nobody_is_asked_twice(gateway):
    running, a, b = gateway
    a.behaviour = b.behaviour = "503"
    response = await post(running, x_test_chain="a,b")
    assert response.status_code == 503
    assert response.headers["x-kagami-request-id"] == "r-1"
    assert (len(a.received), len(b.received)) == (1, 1)


@pytest.mark.parametrize("status", [403, 413, 500, 503])
async def test_a_refusal_by_the_data_plane_is_final_whatever_its_status(gateway, status):
    running, a, b = gateway
    response = await post(running, x_test_chain="a,b", x_test_proc=f"refuse:{status}")
    assert (response.status_code, response.text) == (status, '{"error":{"code":"ours"}}')
    assert not a.received
    assert not b.received


async def test_a_provider_cannot_ask_for_a_retry_the_data_plane_did_not_ask_for(gateway):
    running, a, _ = gateway
    a.behaviour = "forge"
    response = await post(running, x_test_chain="a")
    assert response.json() == {"from": "a"}
    assert "x-kagami-retry" not in response.headers


async def test_forged_internal_headers_do_not_reach_authz_and_have_no_effect(gateway):
    running, a, b = gateway
    a.behaviour = "503"
    forged = {
        "x_kagami_exchange": "b,b,b", "x_kagami_provider": "b", "x_kagami_retry": "1", "x_kagami_request_id": "mine",
        "x_kagami_strategyx": "1", "x_kagami_tag": "1", "x_kagami_": "1", "x_kagami_use": "1", "x_kagami_users": "1",
        "x_envoy_max_retries": "9", "x_envoy_upstream_rq_timeout_ms": "1", "x_envoy_retry_on": "5xx", "x_request_id": "1",
        "x_forwarded_host": "evil",
    }  # fmt: skip
    wanted = {"x_kagami_strategy": "cost", "x_kagami_tags": "team=a", "x_kagami_user": "u1"}
    response = await post(running, x_test_chain="a", **forged, **wanted)
    assert response.status_code == 503
    assert len(a.received) == 1
    assert not b.received
    seen = running.authz[0].seen[0]
    internal = {name for name in seen if name.startswith(("x-kagami-", "x-envoy-", "x-request-id", "x-forwarded-host"))}
    ours = {"x-envoy-external-address", "x-envoy-auth-partial-body"}
    assert internal - ours == {name.replace("_", "-") for name in wanted}
    assert response.headers["x-kagami-request-id"] == "r-1"


async def test_a_denial_reaches_the_client_as_authz_wrote_it(gateway):
    running, a, _ = gateway
    response = await post(running, x_test_authz="deny")
    assert (response.status_code, response.json()) == (429, {"error": {"code": "insufficient_quota"}})
    assert response.headers["retry-after"] == "7"
    assert response.headers["content-type"] == "application/json"
    assert not a.received


async def test_a_body_over_the_limit_reaches_authz_one_byte_over_it_or_as_partial_and_no_provider(gateway):
    running, a, _ = gateway
    response = await post(running, b"x" * (running.settings.max_request_bytes + 1), x_test_chain="a")
    assert running.settings.max_request_bytes + 1 in [len(body) for authz in running.authz for body in authz.bodies]
    assert response.status_code == 200  # whole, hence no part: the decision counts it
    a.received.clear()
    response = await post(running, b"x" * (running.settings.max_request_bytes + 2), x_test_chain="a")
    assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")
    assert not a.received


async def test_the_largest_allowed_body_fails_over_whole(gateway):
    running, a, b = gateway
    a.behaviour = "503"
    body = b"x" * running.settings.max_request_bytes
    assert (await post(running, body, x_test_chain="a,b")).json() == {"from": "b"}
    assert b.received[0].body == body


@pytest.mark.parametrize("size", [2_000_000, 12 * 1024 * 1024])
async def test_a_large_answer_is_seen_whole_before_any_of_it_is_sent(gateway, size):
    running, a, _ = gateway
    a.behaviour = f"large:{size}"
    response = await post(running, x_test_chain="a", x_test_proc="whole")
    assert (response.status_code, len(response.content)) == (200, size)
    assert len(running.exchanges[0].response) == size


async def test_an_answer_over_the_limit_is_an_error_of_the_provider(gateway):
    running, a, _ = gateway
    a.behaviour = f"large:{40 * 1024 * 1024}"
    response = await post(running, x_test_chain="a", x_test_proc="whole")
    assert (response.status_code, code(response)) == (502, "provider_error")


async def test_without_a_decision_nothing_passes(gateway):
    running, a, b = gateway
    response = await post(running, x_test_metadata="none")
    assert (response.status_code, code(response)) == (503, "no_provider_available")
    assert response.headers["x-kagami-request-id"] == "r-1"
    assert not a.received
    assert not b.received


async def test_with_authz_down_or_silent_nothing_passes(gateway):
    running, a, _ = gateway
    response = await post(running, x_test_authz="hang")
    assert (response.status_code, code(response)) == (503, "authorization_unavailable")
    await running.services["cp0"].stop()
    response = await post(running)
    assert (response.status_code, code(response)) == (503, "authorization_unavailable")
    assert not a.received


@pytest.mark.parametrize("mode", ["abort", "abort-response", "hang"])
async def test_when_the_data_plane_fails_the_client_gets_503_and_no_provider_text(gateway, mode):
    running, _, b = gateway
    response = await post(running, x_test_chain="a,b", x_test_proc=mode)
    assert (response.status_code, code(response)) == (503, "redaction_unavailable")
    assert not b.received


async def test_with_every_data_plane_down_nothing_passes(gateway):
    running, a, b = gateway
    await running.services["dp0"].stop()
    response = await post(running, x_test_chain="a,b")
    assert (response.status_code, code(response)) == (503, "redaction_unavailable")
    assert "x-kagami-retry" not in response.headers
    assert not a.received
    assert not b.received


async def test_a_data_plane_that_goes_away_during_an_attempt_costs_the_attempt_only(gateway):
    running, _, _ = gateway
    response = await post(running, x_test_chain="a,b", x_test_proc="unavailable-first")
    assert response.json() == {"from": "b"}


async def test_headers_that_are_too_large_are_refused_in_the_clients_shape(gateway):
    running, _, _ = gateway
    response = await post(running, x_large="y" * 40_000)
    assert (response.status_code, code(response)) == (431, "request_headers_too_large")


async def test_neither_query_nor_headers_nor_body_are_in_the_access_log(gateway):
    running, _, _ = gateway
    await post(running, b"planted-body", path=f"{CHAT}?q=planted-query", user_agent="planted-agent", x_test_chain="a")
    await asyncio.to_thread(running.envoy.wait_for_log, '"tenant":"acme"')
    assert "planted" not in running.envoy.log()
    assert "of-the-client" not in running.envoy.log()


async def test_a_stream_passes_chunk_by_chunk_and_a_disconnect_reaches_the_provider(gateway):
    running, a, _ = gateway
    a.behaviour = "stream:200:0.02"
    async with (
        httpx.AsyncClient(base_url=running.base, trust_env=False) as client,
        client.stream("POST", CHAT, headers={"x-test-chain": "a"}) as response,
    ):
        chunks = response.aiter_raw()
        assert [await anext(chunks) for _ in range(3)] == [f"data: a {n}\n\n".encode() for n in range(3)]
    for _ in range(200):
        if a.received[0].cut_after is not None:
            break
        await asyncio.sleep(0.02)
    assert a.received[0].cut_after is not None


async def test_a_stream_that_stalls_is_cut_after_the_idle_timeout_and_seen_as_unfinished():
    async with providers("a") as (a,), rig() as running:
        a.behaviour = "stream:2:60"
        await running.start(snapshot("r1", a.config(first_byte_timeout_ms=300, idle_timeout_ms=300)))
        received = bytearray()

        async def read() -> None:
            async with (
                httpx.AsyncClient(base_url=running.base, trust_env=False, timeout=20) as client,
                client.stream("POST", CHAT, headers={"x-test-chain": "a"}) as response,
            ):
                async for chunk in response.aiter_raw():
                    received.extend(chunk)

        with pytest.raises(httpx.RemoteProtocolError):
            await read()
        assert received == b"data: a 0\n\n"
        assert running.exchanges[0].response == received


async def test_a_model_name_with_a_slash_reaches_authz_as_the_client_wrote_it(gateway):
    running, a, _ = gateway
    await post(running, path="/v1/models/org%2Fname", x_test_chain="a")
    assert running.authz[0].paths == ["/v1/models/org%2Fname"]
    assert a.received[0].line == "POST /v1/models/org%2Fname HTTP/1.1"


async def test_tls_checks_the_name_against_the_providers_own_authority():
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.provider.test", "*.wild.test").configure_cert(context)
    async with rig() as running:
        bundle = running.directory / "ca.pem"
        authority.cert_pem.write_to_path(str(bundle))
        provider = Provider("a")
        await provider.start(ssl=context)
        tls = provider.config(tls=True, ca_file=str(bundle), sni="api.provider.test")
        names = {"good": "api.provider.test", "wild": "x.wild.test", "bad": "other.test"}
        configs = [provider.config(name=name, tls=True, ca_file=str(bundle), sni=sni) for name, sni in names.items()]
        try:
            await running.start(snapshot("r1", tls, *configs))
            assert (await post(running, x_test_chain="good")).status_code == 200
            assert (await post(running, x_test_chain="wild")).status_code == 200
            assert (await post(running, x_test_chain="bad")).status_code == 503
            assert len(provider.received) == 2
        finally:
            await provider.stop()


async def test_a_provider_whose_key_is_missing_is_never_called_without_one(gateway):
    running, a, b = gateway
    running.publish(snapshot("r2", a.config(key_ref="env:NOT_SET"), b.config(key_ref="env:KEY_B")))
    await running.acknowledged("r2")
    assert (await post(running, x_test_chain="a,b")).json() == {"from": "b"}
    assert not a.received
    assert running.exchanges[-2].details == "no_healthy_upstream"
