"""Processes that die under load: what can be saved is saved, nothing raw escapes, every request is audited once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from typing import Any

import httpx
import psutil
import pytest
from support.disk import disk_full
from support.load import Load
from support.stack import KEY, Gateway, Route, provider_key

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ANSWER = "担当は高橋健一です。電話番号は03-1234-5678です。よろしくお願いします。"


def load(gateway: Gateway, route: Route, **fields: Any) -> Load:
    return Load(gateway.stack.url, KEY, lambda number: route.body(f"質問{number}です。", **fields))


async def assert_audited_once(gateway: Gateway, done: Load) -> None:
    """Every answered request has exactly one closed record."""
    ids = [result.request_id for result in done.results if result.request_id]
    assert len(ids) == len(set(ids))
    await asyncio.to_thread(gateway.stack.closed, ids, 30)


async def test_a_killed_worker_cuts_its_streams_and_no_others(gateway: Gateway) -> None:
    route = gateway.route({"content": ANSWER * 4, "chunk_chars": 1, "interval_ms": 20})
    streams = [asyncio.create_task(_stream(gateway, route)) for _ in range(8)]
    while len(route.records()) < 8:
        await asyncio.sleep(0.01)
    victim, survivor = gateway.stack.workers()
    victim.kill()
    results = await asyncio.gather(*streams)
    cut = [text for text, whole in results if not whole]
    assert 0 < len(cut) < 8
    for text, _ in results:
        assert not re.search("高橋|健一|1234-5678", text), text
    assert survivor.is_running()
    gateway.simulator.clear_orders()
    after = load(gateway, route)
    async with after.running():
        await after.more(200)
    assert after.outcomes() == {(200, ""): len(after.results)}
    outcomes = {record["outcome"] for record in await _records(gateway, [t for t, _ in results])}
    assert outcomes == {"completed", "worker_lost"}


async def _stream(gateway: Gateway, route: Route) -> tuple[str, bool]:
    """Text received and whether it ended as it should; the request's id is its first line."""
    text = ""
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        url = f"{gateway.stack.url}/v1/chat/completions"
        with contextlib.suppress(httpx.TransportError):
            async with client.stream("POST", url, json=route.body(stream=True), headers=headers) as reply:
                text = reply.headers["x-kagami-request-id"] + "\n"
                async for piece in reply.aiter_text():
                    text += piece
    spoken = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {") and line.endswith("}")]
    said = "".join(c["delta"].get("content") or "" for event in spoken for c in event.get("choices", []))
    return text.partition("\n")[0] + "\n" + said, "[DONE]" in text


async def _records(gateway: Gateway, texts: list[str]) -> list[dict[str, Any]]:
    ids = [text.partition("\n")[0] for text in texts]
    return list((await asyncio.to_thread(gateway.stack.closed, ids, 30)).values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
async def test_a_control_plane_restarts_under_load_and_no_request_fails(
    gateway: Gateway, number: signal.Signals
) -> None:
    route = gateway.route()
    running = load(gateway, route)
    async with running.running():
        await running.more(50)
        for name in ("controlplane-0", "controlplane-1"):
            process = gateway.stack.child(name)
            os.kill(process.pid, number)
            await running.more(100)
            await _back(gateway, name, process)
            # Health checks and outlier ejection need a moment to trust it again before the other one goes.
            await asyncio.sleep(2)
    assert running.outcomes() == {(200, ""): len(running.results)}
    await assert_audited_once(gateway, running)
    assert gateway.stack.verify()["verified"]


async def _back(gateway: Gateway, name: str, before: psutil.Process) -> None:
    from controlplane.cli.local import probes

    endpoint = gateway.stack.said["controlplanes"][int(name.rpartition("-")[2])]
    while True:
        with contextlib.suppress(AssertionError, psutil.Error):
            if gateway.stack.child(name).pid != before.pid and not await probes.grpc_health(endpoint):
                return
        await asyncio.sleep(0.05)


async def test_postgresql_stops_for_ten_seconds_and_requests_go_on(gateway: Gateway) -> None:
    route = gateway.route()
    running = load(gateway, route)
    async with running.running():
        await running.more(20)
        # The supervisor would start it again at once.
        os.kill(gateway.stack.process.pid, signal.SIGSTOP)
        postgres = gateway.stack.child("postgres")
        os.kill(postgres.pid, signal.SIGINT)
        while postgres.is_running() and postgres.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)
        stopped = len(running.results)
        await asyncio.sleep(10)
        assert len(running.results) > stopped + 50
        os.kill(gateway.stack.process.pid, signal.SIGCONT)
        await running.more(50)
    assert running.outcomes() == {(200, ""): len(running.results)}
    await assert_audited_once(gateway, running)
    assert gateway.stack.verify()["verified"]


async def test_a_provider_is_added_and_removed_under_load_and_no_request_fails(gateway: Gateway) -> None:
    route = gateway.route()
    running = load(gateway, route)
    async with running.running():
        await running.more(50)
        added = [await asyncio.to_thread(gateway.route) for _ in range(3)]
        for one in added:
            with gateway.stack.http() as http:
                reply = await asyncio.to_thread(http.post, "/chat/completions", json=one.body())
            assert reply.status_code == 200, reply.text
        # The running model gains a second provider in front, then loses it.
        name, extra = route.model, f"{route.model}-9"
        (gateway.stack.state.parent / "9.key").write_text(provider_key(extra))
        provider = {
            "name": extra,
            "url": gateway.simulator.base(extra),
            "key": f"file:{gateway.stack.state.parent}/9.key",
        }
        text = f"providers:\n  - {json.dumps(provider)}\nprices:\n"
        text += f"  - {{provider: {extra}, model: {name}, input: 1, output: 1}}\n"
        text += f"routes:\n  - {{model: {name}, targets: [{extra}, {route.providers[0]}]}}\n"
        await asyncio.to_thread(gateway.stack.apply, text)
        while not [r for r in gateway.simulator.records() if r["provider"] == extra]:
            await asyncio.sleep(0.05)
        await running.more(50)
        await asyncio.to_thread(
            gateway.stack.apply, f"routes:\n  - {{model: {name}, targets: [{route.providers[0]}]}}\n"
        )
        await running.more(50)
    assert running.outcomes() == {(200, ""): len(running.results)}


async def test_a_new_route_is_live_at_once(gateway: Gateway, record_property: Any) -> None:
    """How long after the commit; the figure is a property of the report."""
    model, provider = f"live-{time.time_ns()}", f"live-{time.time_ns()}"
    text = f"providers:\n  - {{name: {provider}, url: '{gateway.simulator.base(provider)}'}}\n"
    text += f"prices:\n  - {{provider: {provider}, model: {model}, input: 1, output: 1}}\n"
    text += f"routes:\n  - {{model: {model}, targets: [{provider}]}}\n"
    from kagamipb.admin.v1.admin_pb2 import ApplyRequest

    from controlplane.cli.manifest import load as read_manifest

    with gateway.stack.admin() as stub:
        await asyncio.to_thread(stub.Apply, ApplyRequest(manifest=read_manifest(text, "test")))
    committed = time.monotonic()
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    row, last_failure = 0, committed
    with gateway.stack.http() as http:
        while row < 10:
            status = (await asyncio.to_thread(http.post, "/chat/completions", json=body)).status_code
            row, last_failure = (row + 1, last_failure) if status == 200 else (0, time.monotonic())
            assert status in {200, 404, 503}
            assert time.monotonic() < committed + 20
    record_property("live_after_ms", round((last_failure - committed) * 1000, 1))


async def test_a_worker_that_can_record_nothing_is_sent_nothing_while_there_is_another(gateway: Gateway) -> None:
    route = gateway.route({"content": "はい。"})
    full, _ = gateway.stack.workers()
    with disk_full(full):
        during = load(gateway, route)
        async with during.running():
            while (503, "audit_unavailable") not in during.outcomes():
                await asyncio.sleep(0.01)
            await asyncio.sleep(1.0)  # two health checks
            before = len(during.results)
            await during.more(200)
        assert [each for each in during.results[before:] if each.status != 200] == []
    assert full.is_running()
