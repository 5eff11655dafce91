"""Starts the stack with a simulated provider, plays the scenes, stops (or stays)."""

from __future__ import annotations

import asyncio
import importlib
import secrets
import signal
import sys
import time
from pathlib import Path

import grpc
from kagamipb.admin.v1.admin_pb2 import ApplyRequest
from kagamipb.admin.v1.admin_pb2_grpc import AdminStub
from rich.console import Console

from controlplane.cli.demo import configuration, scenes
from controlplane.cli.demo.client import Client
from controlplane.cli.demo.show import WIDTH, Show
from controlplane.cli.local.children import StartError
from controlplane.cli.local.layout import StateError
from controlplane.cli.local.stack import Options, Program, Stack, free_port

_LIVE_SECONDS = 10.0
_INTERVAL_MS = 25
"""Between the simulated provider's tokens: about as fast as a fast model writes."""


async def run(state: Path, port: int, *, keep: bool) -> int:
    """The whole demo; the exit code."""
    show = Show(Console(width=min(WIDTH, Console().width), highlight=False))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stack = Stack(Options(state=state, port=_port(port), drain_seconds=3), show.say)
    playing = asyncio.create_task(_play(stack, show, stop, keep=keep))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((playing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not playing.done() and not keep:
            playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    finally:
        stopping.cancel()
        show.say("stopping")
        await stack.stop()
    if playing.cancelled():
        return 130
    error = playing.exception()
    if isinstance(error, (StartError, StateError)):
        show.say(str(error))
        return 1
    return playing.result()


def _port(wanted: int) -> int:
    try:
        return free_port("127.0.0.1", wanted)
    except StartError:
        return free_port("127.0.0.1", 0)


async def _play(stack: Stack, show: Show, stop: asyncio.Event, *, keep: bool) -> int:
    began = time.monotonic()
    show.say(f"starting PostgreSQL, control plane, data plane, Envoy and a simulated provider in {stack.options.state}")
    imported = asyncio.create_task(asyncio.to_thread(importlib.import_module, "openai"))
    simulator = f"127.0.0.1:{free_port('127.0.0.1', 0)}"
    dead = f"127.0.0.1:{free_port('127.0.0.1', 0)}"
    await stack.start([_simulator(simulator)])
    await imported
    show.say(f"ready after {time.monotonic() - began:.1f} s")
    key, trial_key = (f"sk-kagami-demo-{secrets.token_urlsafe(24)}" for _ in range(2))
    base_url = f"http://{stack.address}/v1"
    client, trial = Client(base_url, key), Client(base_url, trial_key)
    async with grpc.aio.insecure_channel(stack.controlplanes[0]) as channel:
        admin = AdminStub(channel)  # type: ignore[no-untyped-call]  # generated
        manifest = configuration.manifest(f"http://{simulator}", f"http://{dead}", key, trial_key, secrets.token_hex(4))
        await admin.Apply(ApplyRequest(manifest=manifest, prune=True), timeout=30)
        stage = scenes.Stage(show, admin, simulator, client, trial)
        await _live(client)
        await scenes.main_job(stage)
        await scenes.refusal(stage)
        await scenes.failover(stage)
    await client.close()
    await trial.close()
    _invite(show, base_url, key, keep=keep)
    if keep and not show.failed:
        await stop.wait()
    return 1 if show.failed else 0


async def _live(client: Client) -> None:
    """Until the configuration just applied is served: a moment after the commit."""
    deadline = time.monotonic() + _LIVE_SECONDS
    while (refusal := await client.refused("no-such-model", "?")) is None or refusal.code != "model_not_found":
        if time.monotonic() > deadline:
            raise StartError(f"the configuration did not become live: {refusal}")
        await asyncio.sleep(0.02)


def _simulator(address: str) -> Program:
    port = address.rpartition(":")[2]
    argv = (sys.executable, "-m", "controlplane.simulator", "--port", port, "--interval-ms", str(_INTERVAL_MS))
    return Program("simulator", argv, address)


def _invite(show: Show, base_url: str, key: str, *, keep: bool) -> None:
    show.scene("Try it yourself" if keep else "To try it yourself: kagami demo --keep")
    if show.failed:
        show.proof(f"{len(show.failed)} of the claims above do not hold", holds=False)
    if not keep:
        return
    show.facts([("base URL", base_url), ("key", key), ("model", configuration.MODEL)])
    message = '{"role": "user", "content": "佐藤美咲です。090-8765-4321へ電話をください"}'
    body = f'{{"model": "{configuration.MODEL}", "stream": true, "messages": [{message}]}}'
    show.console.print(
        f"\ncurl -N {base_url}/chat/completions -H 'authorization: Bearer {key}' \\\n"
        f"  -H 'content-type: application/json' -d '{body}'\n",
        markup=False,
        soft_wrap=True,
    )
    show.say("running until Ctrl-C")
