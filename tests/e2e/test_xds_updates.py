"""Changing a real Envoy under load: nothing fails while providers, secrets and replicas come and go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from support.gateway import Rig, providers, rig, snapshot

pytestmark = pytest.mark.e2e


@dataclass
class Load:
    """Answers of requests sent without pause."""

    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def load(running: Rig, chain: str, clients: int = 8, *, warm: bool = True) -> AsyncIterator[Load]:
    """Ask for a chain all the time, from several clients, until the end of the block."""
    seen = Load()
    done = asyncio.Event()

    async def client() -> None:
        async with httpx.AsyncClient(base_url=running.base, trust_env=False) as http:
            while not done.is_set():
                try:
                    response = await http.post("/v1/chat/completions", content=b"{}", headers={"x-test-chain": chain})
                except httpx.HTTPError as error:
                    seen.failures.append(repr(error))
                    continue
                if response.status_code == 200:
                    seen.answers.append(response.json()["from"])
                else:
                    seen.failures.append(f"{response.status_code} {response.text}")

    tasks = [asyncio.create_task(client()) for _ in range(clients)]
    try:
        await until(lambda: len(seen.answers) > clients or not warm)
        yield seen
    finally:
        done.set()
        await asyncio.gather(*tasks)


async def until(condition, seconds: float = 15) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "the test waited in vain"
        await asyncio.sleep(0.005)


async def test_a_provider_is_added_and_removed_under_load_without_a_failed_request():
    async with providers("a", "b") as (a, b), rig() as running:
        running.environment["KEY"] = "k"
        await running.start(snapshot("r1", a.config()))
        async with load(running, "b,a") as seen:
            running.publish(snapshot("r2", a.config(), b.config(key_ref="env:KEY")))
            await until(lambda: "b" in seen.answers)
            await running.acknowledged("r2")
            running.publish(snapshot("r3", a.config()))
            await running.acknowledged("r3")
            await until(lambda: "hop_b" not in running.envoy.admin("/clusters"))
            before = len(seen.answers)
            await until(lambda: len(seen.answers) > before + 20)
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]
        assert seen.answers[-1] == "a"


async def test_authz_never_learns_of_a_provider_before_its_hop_is_complete():
    async with providers("a", "b") as (a, b), rig() as running:
        running.environment["KEY"] = "k"
        await running.start(snapshot("r0", a.config()))
        async with load(running, "a"), load(running, "b", warm=False) as seen:
            for revision in range(1, 6):
                running.publish(snapshot(f"on-{revision}", a.config(), b.config(key_ref="env:KEY")))
                await running.acknowledged(f"on-{revision}")
                running.publish(snapshot(f"off-{revision}", a.config()))
                await until(lambda: "hop_b" not in running.envoy.admin("/clusters"))
        assert set(seen.answers) == {"b"}
        # What authz let through to b was answered; all the rest was refused for want of a live provider.
        assert running.authz[0].chosen.count(["b"]) == len(seen.answers)


async def test_a_stream_under_way_survives_the_removal_of_its_provider():
    async with providers("a", "b") as (a, b), rig() as running:
        b.behaviour = "stream:60:0.02"
        await running.start(snapshot("r1", a.config(), b.config()))
        async with (
            httpx.AsyncClient(base_url=running.base, trust_env=False) as client,
            client.stream("POST", "/v1/chat/completions", headers={"x-test-chain": "b"}) as response,
        ):
            chunks = response.aiter_raw()
            text = await anext(chunks)
            running.publish(snapshot("r2", a.config()))
            await running.acknowledged("r2")
            text += b"".join([chunk async for chunk in chunks])
        assert text == b"".join(f"data: b {n}\n\n".encode() for n in range(60))


async def test_changing_a_providers_address_under_load_moves_requests_without_a_failure():
    async with providers("a", "b") as (a, b), rig() as running:
        await running.start(snapshot("r1", a.config()))
        async with load(running, "a") as seen:
            running.publish(snapshot("r2", b.config(name="a", idle_timeout_ms=20_000)))
            await until(lambda: "b" in seen.answers)
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]


async def test_a_rotated_secret_file_is_used_by_the_next_requests_under_load():
    async with providers("a") as (a,), rig() as running:
        key = running.directory / "key"
        key.write_text("old\n")
        await running.start(snapshot("r1", a.config(key_ref=f"file:{key}")))
        async with load(running, "a") as seen:
            replacement = running.directory / "new"
            replacement.write_text("new\n")
            replacement.rename(key)
            await until(lambda: a.received[-1].headers["authorization"] == "Bearer new")
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]
        assert {received.headers["authorization"] for received in a.received} == {"Bearer old", "Bearer new"}


async def test_a_refused_configuration_leaves_the_old_one_in_force_until_a_good_one_comes():
    async with providers("a", "b") as (a, b), rig() as running:
        await running.start(snapshot("r1", a.config()))
        async with load(running, "b,a") as seen:
            running.publish(snapshot("r2", a.config(), b.config(port=70_000)))
            await asyncio.to_thread(running.envoy.wait_for_log, "rejected")
            assert running.xds.acknowledged() == {"envoy-1": "r1"}
            before = len(seen.answers)
            await until(lambda: len(seen.answers) > before + 20)
            assert set(seen.answers) == {"a"}
            running.publish(snapshot("r3", a.config(), b.config()))
            await until(lambda: "b" in seen.answers)
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]
        assert running.xds.acknowledged() == {"envoy-1": "r3"}


async def test_envoy_keeps_serving_while_every_control_plane_is_away_except_for_authz_and_catches_up():
    async with providers("a", "b") as (a, b), rig(count=2) as running:
        await running.start(snapshot("r1", a.config()))
        async with load(running, "b,a") as seen:
            await running.services["cp0"].stop()  # the only one Envoy's ADS knows; authz moves to the other
            running.publish(snapshot("r2", a.config(), b.config()))
            before = len(seen.answers)
            await until(lambda: len(seen.answers) > before + 50)
            assert set(seen.answers) == {"a"}
            await running.start_controlplane(0)
            await until(lambda: "b" in seen.answers)
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]


async def test_envoy_goes_to_another_control_plane_for_its_configuration():
    async with providers("a", "b") as (a, b), rig(count=2) as running:
        await running.start(snapshot("r1", a.config()), ads=2)
        async with load(running, "b,a") as seen:
            for lost in (0, 1):
                await running.services[f"cp{lost}"].stop()
                before = len(seen.answers)
                running.publish(snapshot(f"on-{lost}", a.config(), b.config()))
                await running.acknowledged(f"on-{lost}")
                await until(lambda before=before: "b" in seen.answers[before:])
                await running.start_controlplane(lost)
                running.publish(snapshot(f"off-{lost}", a.config()))
                await running.acknowledged(f"off-{lost}")
                served = len(running.authz[lost].seen)
                await until(lambda: len(running.authz[lost].seen) > served)
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]
        assert set(seen.answers) == {"a", "b"}


async def test_requests_alternate_between_replicas_and_a_lost_one_costs_nothing():
    async with providers("a") as (a,), rig(count=2) as running:
        await running.start(snapshot("r1", a.config()))
        async with load(running, "a") as seen:
            await until(lambda: all(authz.seen for authz in running.authz))
            await until(lambda: all(processor.exchanges for processor in running.processors))
            await running.services["cp1"].stop()
            await running.services["dp1"].stop(grace=5)
            before = len(seen.answers)
            await until(lambda: len(seen.answers) > before + 100)
            await running.start_controlplane(1)
            await running.start_dataplane(1)
            counts = len(running.authz[1].seen), len(running.processors[1].exchanges)
            await until(lambda: len(running.authz[1].seen) > counts[0])
            await until(lambda: len(running.processors[1].exchanges) > counts[1])
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]


async def test_three_of_four_processes_lost_at_once_cost_nothing():
    """More than are ejected at once (half): second tries have to get past processes that look idle."""
    async with providers("a") as (a,), rig(count=4) as running:
        await running.start(snapshot("r1", a.config()))
        async with load(running, "a") as seen:
            await until(lambda: all(authz.seen for authz in running.authz))
            await until(lambda: all(processor.exchanges for processor in running.processors))
            await asyncio.gather(
                *(running.services[f"{kind}{lost}"].stop(grace=5) for kind in ("cp", "dp") for lost in (1, 2, 3))
            )
            before = len(seen.answers)
            await until(lambda: len(seen.answers) > before + 100)
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]


async def test_a_process_that_says_it_is_healthy_and_answers_nothing_yet_costs_nothing():
    async with providers("a") as (a,), rig(count=2) as running:
        running.authz[1].ready = running.processors[1].ready = False
        await running.start(snapshot("r1", a.config()))
        async with load(running, "a") as seen:
            await until(lambda: len(seen.answers) > 100)
        assert seen.failures == [], [line for line in running.envoy.log().splitlines() if "[warning]" in line][-3:]
        assert running.authz[1].turned_away > 10
        assert running.processors[1].turned_away > 10
