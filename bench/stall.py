"""How a long prompt and the other streams of its worker get along: added time, and how long the others stand still.

usage: python -m bench.stall [--chars N] [--streams N] [--repeats N]

One worker's ext_proc servicer in this process, with the shipped detectors and without Envoy, gRPC or a disk: a prompt of
N characters, never seen before, goes through it while other streams of 60 chunks go on and a probe asks for the loop
every millisecond. Printed are the time from the prompt's body to its redacted form with and without others there (what
it adds to the request), how late the probe was (the stall), what other streams waited for a reply, and the single steps
of the scan by CPU time: a stall is as long as the longest of them, and as what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvloop
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy
from rich.console import Console
from rich.table import Table

from bench import load, prompts
from bench.session import exchange_events
from dataplane.drivers.analyzer import Analyzer, load_scan
from dataplane.exchange import events as ev
from dataplane.exchange.limits import Limits
from dataplane.exchange.session import Session
from dataplane.extproc.pace import Pace
from dataplane.extproc.servicer import Services, process
from dataplane.redaction.cache import FindingsCache
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction

CHUNK_SECONDS = 0.02
console = Console()


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry would lie."""

    seq: int
    link: bytes


class Journal:
    """Keeps nothing: what is measured is the worker's loop, not a disk."""

    def __init__(self) -> None:
        self._seq = itertools.count(1)

    def append(self, entry: bytes) -> Position:
        del entry
        return Position(next(self._seq), bytes(32))

    async def durable(self, seq: int, *, here: bool = False) -> None:
        del seq, here

    def hold(self, seq: int) -> None:
        del seq

    def release(self, seq: int) -> None:
        del seq


@dataclass(frozen=True, slots=True)
class Policies:
    """One policy."""

    found: ev.PolicyFound

    async def find(self, name: str, version: str) -> ev.PolicyFound:
        del name, version
        return self.found


@dataclass(slots=True)
class Figures:
    """Seconds."""

    added: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


def services(analyzer: Analyzer, figures: Figures) -> Services:
    """A worker's."""
    policy = Policy.compile(RedactionPolicy(name="p", version="v", enabled=True), b"k" * 32)
    findings = FindingsCache(secrets.token_bytes(32))

    def new_session() -> Session:
        return Session(lambda chosen, tenant: Redaction(chosen, analyzer.scan, cache=findings, scope=tenant), Limits())

    return Services(
        new_session=new_session,
        journal=Journal(),
        policies=Policies(ev.PolicyFound(policy)),
        now=lambda: time.time_ns() // 1000,
        report=lambda error, _: console.print(f"fault: {error!r}"),
        pace=_Watched(figures),
    )


class _Watched(Pace):
    """Notes what each step costs."""

    def __init__(self, figures: Figures) -> None:
        super().__init__()
        self._figures = figures

    async def slice(self, steps: Generator[None, None, Any]) -> None:
        await super().slice(self._timed(steps))

    def _timed(self, steps: Generator[None, None, Any]) -> Generator[None, None, Any]:
        while True:
            start = time.thread_time()
            try:
                next(steps)
            except StopIteration as done:
                return done.value
            finally:
                self._figures.steps.append(time.thread_time() - start)
            yield


class _Envoy:
    """Feeds events one by one, each after the reply to the one before."""

    def __init__(self, events: list[ev.Event], pause: float = 0.0) -> None:
        self._events, self._pause = events, pause
        self._answered = asyncio.Event()
        self.waits: list[float] = []

    async def messages(self) -> AsyncIterator[pb.ProcessingRequest]:
        for event in self._events:
            if isinstance(event, ev.StreamClosed):
                continue
            if self._pause and isinstance(event, ev.ResponseBody):
                await asyncio.sleep(self._pause)
            self._answered.clear()
            start = time.perf_counter()
            yield _message(event)
            await self._answered.wait()
            self.waits.append(time.perf_counter() - start)

    async def send(self, reply: pb.ProcessingResponse) -> None:
        if reply.WhichOneof("response") is not None:
            self._answered.set()


def _message(event: ev.Event) -> pb.ProcessingRequest:
    match event:
        case ev.RequestHeaders():
            return pb.ProcessingRequest(request_headers=_head(event.headers))
        case ev.RequestBody():
            return pb.ProcessingRequest(request_body=pb.HttpBody(body=event.data, end_of_stream=True))
        case ev.ResponseHeaders():
            return pb.ProcessingRequest(response_headers=_head(event.headers))
        case ev.ResponseBody():
            return pb.ProcessingRequest(response_body=pb.HttpBody(body=event.data, end_of_stream=event.end))
    raise TypeError(type(event).__name__)


def _head(headers: Any) -> pb.HttpHeaders:
    return pb.HttpHeaders(headers=HeaderMap(headers=[HeaderValue(key=k, raw_value=v) for k, v in headers.items()]))


def _prompt(chars: int, seed: int) -> str:
    parts, size = [], 0
    for number in itertools.count(seed * 1_000_000):
        parts.append(prompts.prompt(number))
        size += len(parts[-1])
        if size >= chars:
            return "".join(parts)[:chars]
    raise AssertionError


async def _other(worker: Services, figures: Figures, number: int, done: asyncio.Event) -> None:
    while not done.is_set():
        envoy = _Envoy(exchange_events(number, stream=True), CHUNK_SECONDS)
        await process(envoy.messages(), envoy.send, "a", worker)
        figures.waits += envoy.waits[3:]


async def _probe(figures: Figures, done: asyncio.Event) -> None:
    while not done.is_set():
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        figures.late.append(time.perf_counter() - start - 0.001)


async def once(analyzer: Analyzer, chars: int, streams: int, seed: int) -> Figures:
    """One long prompt among `streams` others."""
    figures, done = Figures(), asyncio.Event()
    worker = services(analyzer, figures)
    body = {"model": "m", "messages": [{"role": "user", "content": _prompt(chars, seed)}]}
    envoy = _Envoy([exchange_events(seed, stream=False)[0], ev.RequestBody(orjson.dumps(body))])
    others = [asyncio.create_task(_other(worker, figures, number, done)) for number in range(streams)]
    await asyncio.sleep(0.3)
    figures.waits.clear()
    probe = asyncio.create_task(_probe(figures, done))
    await process(envoy.messages(), envoy.send, "a", worker)
    figures.added.append(envoy.waits[-1])
    done.set()
    await asyncio.gather(probe, *others)
    return figures


def show(rows: list[tuple[str, Figures]]) -> None:
    """Print the table."""
    table = Table("others", "adds", "late p50", "p95", "p99", "max", "reply p95", "max", "steps", "step p50", "max")
    for name, figures in rows:
        late = [_ms(figures.late, share) for share in (0.5, 0.95, 0.99, 1.0)]
        waits = [_ms(figures.waits, share) for share in (0.95, 1.0)]
        steps = [str(len(figures.steps) // len(figures.added)), *(_ms(figures.steps, share) for share in (0.5, 1.0))]
        table.add_row(name, _ms(figures.added, 0.5), *late, *waits, *steps)
    console.print(table)
    console.print("milliseconds; adds: median for the prompt; reply: to a chunk of another stream; step: CPU time")


def _ms(seconds: list[float], share: float) -> str:
    if not seconds:
        return "–"
    value = 1e3 * load.percentile(seconds, share)
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chars", type=int, default=200_000)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    analyzer = load_scan()
    gc.collect()
    gc.freeze()
    rows: list[tuple[str, Figures]] = []
    for streams in (0, asked.streams):
        figures = Figures()
        for seed in range(1, asked.repeats + 1):
            found = uvloop.run(once(analyzer, asked.chars, streams, seed + 100 * streams))
            figures.added += found.added
            figures.late += found.late
            figures.steps += found.steps
            figures.waits += found.waits
        rows.append((str(streams), figures))
    show(rows)


if __name__ == "__main__":
    main()
