"""Kagami beside other gateways, in one run on one machine: what each adds to a request, and how many it carries.

usage: python -m bench.peers [--portkey FOLDER] [--litellm PROGRAM] [--seconds S] [--workers N] [--busy-poll-ms MS]

All send to the same simulated provider, one process each, and get the same load: 1 KB Japanese prompts, each different,
answered whole. Rounds are interleaved, for minutes differ; what a way adds is counted from *direct* (one Envoy) in the
same round. Neither peer detects anything here: they are the yardstick of the machine, of which a figure in milliseconds
says little by itself. They are no part of Kagami; install them apart, for instance
`npm install --prefix FOLDER @portkey-ai/gateway@1.15.2` and `pip install 'litellm[proxy]==1.106.2'` in an environment
whose bin/litellm is PROGRAM. Neither is installed or fetched by this command.
Limits: below saturation a way is left out that cannot carry the rate.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench import load, prompts
from bench.stack import Stack, running, start_process, unused_port

ROUNDS = 5
DIRECT, OFF, ON = "direct", "PII off", "PII on"
# Another gateway is asked for no more than this share of what it carries.
CARRIED = 0.8
_LITELLM = """
model_list:
  - model_name: bench
    litellm_params: {{model: openai/bench, api_base: "http://127.0.0.1:{port}/sim/v1", api_key: sk-unused}}
general_settings: {{master_key: {key}}}
"""
_KEY = "sk-bench-peer-00000000"
console = Console(width=None if sys.stdout.isatty() else 140)


@dataclass(frozen=True, slots=True)
class Way:
    """Where requests of one way go, and with which headers."""

    name: str
    port: int
    path: str = "/v1/chat/completions"
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, seed: int) -> bytes:
        """A request with a prompt of its own."""
        body = orjson.dumps({"model": "bench", "messages": [{"role": "user", "content": prompts.prompt(seed)}]})
        return load.request_bytes(self.path, f"127.0.0.1:{self.port}", body, None, self.headers)


class Measured(NamedTuple):
    """One way in one round: milliseconds, and answers a second."""

    p50: float
    p95: float
    rate: float


@contextlib.contextmanager
def peers(provider: int, portkey: Path | None, litellm: Path | None) -> Iterator[list[Way]]:
    """The peers there are, answering. Raises RuntimeError with the log's end when one does not start."""
    with tempfile.TemporaryDirectory(prefix="kagami-peers-") as folder, contextlib.ExitStack() as cleanup:
        ways = []
        if portkey is not None:
            ways.append(_portkey(cleanup, Path(folder), portkey, provider))
        if litellm is not None:
            ways.append(_litellm(cleanup, Path(folder), litellm, provider))
        yield ways


def _portkey(cleanup: contextlib.ExitStack, folder: Path, installed: Path, provider: int) -> Way:
    port = unused_port()
    server = installed / "node_modules/@portkey-ai/gateway/build/start-server.js"
    if not server.is_file():
        raise RuntimeError(f"{server} is not there: npm install --prefix {installed} @portkey-ai/gateway@1.15.2")
    # It sends to no private address that it is not told to trust.
    env = {**os.environ, "TRUSTED_CUSTOM_HOSTS": "127.0.0.1"}
    log = folder / "portkey.log"
    process = start_process(cleanup, log, ["node", str(server), f"--port={port}", "--headless"], env)
    headers = {
        "authorization": f"Bearer {_KEY}",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{provider}/sim/v1",
    }
    return _ready(Way("Portkey", port, headers=headers), log, process.poll)


def _litellm(cleanup: contextlib.ExitStack, folder: Path, program: Path, provider: int) -> Way:
    port, config, log = unused_port(), folder / "litellm.yaml", folder / "litellm.log"
    config.write_text(_LITELLM.format(port=provider, key=_KEY))
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    process = start_process(cleanup, log, command, env)
    return _ready(Way("LiteLLM", port, headers={"authorization": f"Bearer {_KEY}"}), log, process.poll)


def _ready(way: Way, log: Path, ended: Callable[[], int | None], seconds: float = 90) -> Way:
    deadline = time.monotonic() + seconds
    body = orjson.dumps({"model": "bench", "messages": [{"role": "user", "content": "準備"}]})
    headers = {"content-type": "application/json", **way.headers}
    while True:
        with contextlib.suppress(urllib.error.URLError, OSError):
            request = urllib.request.Request(f"http://127.0.0.1:{way.port}{way.path}", body, headers)
            with urllib.request.urlopen(request, timeout=5) as reply:
                if reply.status == 200:
                    return way
        if ended() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{way.name} does not answer; end of its log:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)


def ours(stack: Stack) -> list[Way]:
    """Envoy alone, and Kagami without detection and with it."""
    ways = []
    for name in (DIRECT, OFF, ON):
        path, _, key = stack.target(name)
        ways.append(Way(name, stack.port(name), path, {"authorization": f"Bearer {key}"} if key else {}))
    return ways


class Bench:
    """Sends the load; every prompt is sent once."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._seed = seconds, 0
        self.errors = 0

    async def measure(self, way: Way, concurrency: int, rate: float | None = None) -> Measured:
        """One cell."""

        def build(_slot: int, _index: int) -> bytes:
            self._seed += 1
            return way.request(self._seed)

        result = await load.run("127.0.0.1", way.port, build, concurrency=concurrency, seconds=self._seconds, rate=rate)
        self.errors += len(result.errors)
        total = [sample.total * 1e3 for sample in result.samples]
        return Measured(load.percentile(total, 0.5), load.percentile(total, 0.95), result.rate)

    async def rounds(self, ways: list[Way], concurrency: int, rate: float | None = None) -> dict[str, list[Measured]]:
        """Every way in turn, several times over."""
        found: dict[str, list[Measured]] = {way.name: [] for way in ways}
        for number in range(1, ROUNDS + 1):
            offered = "" if rate is None else f", {rate:.0f} requests/s offered"
            console.print(f"  concurrency {concurrency}{offered}, round {number} of {ROUNDS} …", style="dim")
            for way in ways:
                found[way.name].append(await self.measure(way, concurrency, rate))
        return found


def added(rounds: dict[str, list[Measured]], name: str) -> tuple[float, float]:
    """What a way adds to p50 and p95 of *direct*, medians of rounds; milliseconds."""
    pairs = list(zip(rounds[name], rounds[DIRECT], strict=True))
    return (
        statistics.median(way.p50 - direct.p50 for way, direct in pairs),
        statistics.median(way.p95 - direct.p95 for way, direct in pairs),
    )


async def run(bench: Bench, ways: list[Way]) -> list[tuple[str, dict[str, list[Measured]]]]:
    """One at a time, eight at once, and half of what eight at once gave with detection."""
    for way in ways:
        await bench.measure(way, 4)
    alone, eight = await bench.rounds(ways, 1), await bench.rounds(ways, 8)
    rate = {way.name: statistics.median(one.rate for one in eight[way.name]) for way in ways}
    offered = rate[ON] / 2
    able = [way for way in ways if offered <= rate[way.name] * CARRIED]
    return [
        ("One at a time", alone),
        ("Eight at once", eight),
        (f"{offered:.0f} requests/s offered over eight connections", await bench.rounds(able, 8, offered)),
    ]


def show(title: str, rounds: dict[str, list[Measured]]) -> None:
    """One table: medians of rounds."""
    table = Table(title=title, title_justify="left")
    for column in ("way", "requests/s", "p50 ms", "p95 ms", "adds to p50", "adds to p95"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, cells in rounds.items():
        p50, p95, rate = (statistics.median(values) for values in zip(*cells, strict=True))
        more = ["–", "–"] if name == DIRECT else [f"{value:.1f}" for value in added(rounds, name)]
        table.add_row(name, f"{rate:.0f}", f"{p50:.1f}", f"{p95:.1f}", *more)
    console.print(table)


def main() -> None:
    """Print the tables, and how what detection adds compares with what the peers add without any."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--portkey", type=Path, help="folder in which npm installed it")
    parser.add_argument("--litellm", type=Path, help="its program")
    parser.add_argument("--seconds", type=float, default=2.0, help="per cell (default 2)")
    parser.add_argument("--workers", type=int, default=1, help="data-plane workers (default 1)")
    parser.add_argument("--busy-poll-ms", type=int, default=0, help="workers wait awake so long (default 0)")
    options = parser.parse_args()
    bench = Bench(options.seconds)
    console.print(f"Python {sys.version}\nstarting Kagami, Envoy alone and the peers …")
    try:
        with (
            running(workers=options.workers, busy_poll_ms=options.busy_poll_ms) as stack,
            peers(stack.provider_port, options.portkey, options.litellm) as others,
        ):
            found = uvloop.run(run(bench, [*ours(stack), *others]))
    except (RuntimeError, OSError) as error:
        sys.exit(f"cannot measure: {error}")
    for title, rounds in found:
        show(title, rounds)
    below = added(found[2][1], ON)[1]
    for way in others:
        alone = added(found[0][1], way.name)[1]
        console.print(
            f"PII on below saturation adds {below:.1f} ms to p95, {below / alone:.2f} times what {way.name} adds "
            f"one at a time without any detection ({alone:.1f} ms)"
        )
    sys.exit(1 if bench.errors else 0)


if __name__ == "__main__":
    main()
