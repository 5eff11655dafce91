"""Envoy alone against the whole gateway, in one run: `make bench`.

usage: python -m bench [--seconds S] [--quick] [--json FILE]

Three ways to the same simulated provider, one worker of everything: *direct* (one Envoy listener, one route), *PII off*
(authz, budget, translation, audit; detection disabled by policy) and *PII on*. What is added below saturation is
measured in rounds of all three, for minutes differ, at half and at a quarter of what one worker does: with one
data-plane worker, with two, and with one that waits awake (`kagami up --busy-poll-ms`). Every request has a prompt of
its own of about 1 KB of Japanese; conversations are measured apart. Figures: requests/s, latency percentiles, time to
first token and gaps between chunks of streams, CPU time per request and process, memory; and how much slower memory is
read that nobody touched for 9 ms, which tells how much of a latency at low load is the machine's (`bench.cold`).
Limits: generator, provider, Envoy and Kagami share this machine, so absolute throughput falls with fewer cores; read
differences and ratios within one run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench import cold, load, processes, prompts
from bench.stack import Stack, running

CONCURRENCY = (1, 8, 32)
WAYS = ("direct", "PII off", "PII on")
ROUNDS = 5
IDLE_KIB, IDLE_SECONDS = 512, 0.009
ONE = "1 worker"
SHARES = {"half": 0.5, "a quarter": 0.25}
# Others that are measured below saturation, at the rates of the one: what they are called, and how they are started.
OTHERS: dict[str, dict[str, int]] = {
    "2 workers": {"workers": 2},
    "1 worker, busy polling": {"busy_poll_ms": 1_000},
}
# Into a file or a pipe no figure is cut off.
console = Console(width=None if sys.stdout.isatty() else 140)
_seeds = itertools.count(1)


def chat(stack: Stack, way: str, *, stream: bool, turns: int = 0) -> Callable[[int, int], bytes]:
    """Builds requests, each with text never sent before."""
    path, host, key = stack.target(way)

    def build(_slot: int, _index: int) -> bytes:
        seed = next(_seeds)
        messages = prompts.conversation(seed, turns) if turns else [{"role": "user", "content": prompts.prompt(seed)}]
        body = orjson.dumps({"model": "bench", "messages": messages, "stream": stream})
        return load.request_bytes(path, host, body, key)

    return build


async def once(
    stack: Stack, way: str, concurrency: int, seconds: float, *, stream: bool = False, rate: float | None = None
) -> dict[str, Any]:
    """One cell of the table."""
    before = processes.measure(stack.pid)
    requests = chat(stack, way, stream=stream)
    result = await load.run("127.0.0.1", stack.port(way), requests, concurrency=concurrency, seconds=seconds, rate=rate)
    cpu = processes.spent(before, after := processes.measure(stack.pid))
    count = max(1, len(result.samples))
    gaps = [gap for sample in result.samples for gap in sample.gaps]
    total = [sample.total for sample in result.samples]
    chunks = max(1, len(gaps))
    return {
        "way": way, "concurrency": concurrency, "stream": stream, "rate_asked": rate, "rps": result.rate,
        "errors": len(result.errors), "first_error": next(iter(result.errors), ""),
        **{f"p{int(share * 100)}_ms": load.percentile(total, share) * 1e3 for share in (0.5, 0.95, 0.99)},
        "first_token_p50_ms": load.percentile([s.first_token for s in result.samples], 0.5) * 1e3,
        "first_token_p95_ms": load.percentile([s.first_token for s in result.samples], 0.95) * 1e3,
        "gap_p50_ms": load.percentile(gaps, 0.5) * 1e3, "gap_p95_ms": load.percentile(gaps, 0.95) * 1e3,
        "cpu_us_per_request": {role: seconds_ / count * 1e6 for role, seconds_ in cpu.items()},
        "cpu_us_per_chunk": {role: seconds_ / chunks * 1e6 for role, seconds_ in cpu.items()} if stream else {},
        "uss_mib": {role: usage.uss_mib for role, usage in after.items()},
        "rss_mib": {role: usage.rss_mib for role, usage in after.items()},
    }  # fmt: skip


async def conversations(stack: Stack, way: str, seconds: float, count: int = 8) -> dict[str, Any]:
    """`count` clients, each sending a conversation turn by turn with its whole history, as chat clients do."""
    before = processes.measure(stack.pid)
    path, host, key = stack.target(way)
    first = next(_seeds) * 1000

    def build(slot: int, index: int) -> bytes:
        number, turn = divmod(index, 10)
        messages = prompts.conversation(first + slot * 100_000 + number, 10)[: 2 * turn + 1]
        return load.request_bytes(path, host, orjson.dumps({"model": "bench", "messages": messages}), key)

    result = await load.run("127.0.0.1", stack.port(way), build, concurrency=count, seconds=seconds)
    cpu = processes.spent(before, processes.measure(stack.pid))
    total = [sample.total for sample in result.samples]
    return {
        "way": way, "rps": result.rate, "errors": len(result.errors),
        "p50_ms": load.percentile(total, 0.5) * 1e3, "p95_ms": load.percentile(total, 0.95) * 1e3,
        "cpu_us_per_request": {r: s / max(1, len(total)) * 1e6 for r, s in cpu.items()},
    }  # fmt: skip


async def warm_up(stack: Stack, seconds: float) -> None:
    """Connections, code paths and caches of the processes, outside the figures."""
    for way in WAYS:
        await once(stack, way, 4, min(1.5, seconds))


Rounds = list[list[dict[str, Any]]]
"""One cell for each way, several times over."""


async def below_saturation(stack: Stack, seconds: float, saturated: float, label: str) -> dict[str, Rounds]:
    """What a stack does at each share of `saturated` requests a second; `label` says how it runs."""
    return {
        f"{label}, {name}": await rounds_at(stack, seconds, max(1.0, saturated * share), f"{label}, {name}")
        for name, share in SHARES.items()
    }


async def rounds_at(stack: Stack, seconds: float, rate: float, label: str) -> Rounds:
    """Rounds of one cell for each way, all with `rate` requests a second offered."""
    rounds = []
    for number in range(1, ROUNDS + 1):
        name = f"{rate:.0f} requests/s offered, {label}, round {number} of {ROUNDS}"
        console.print(f"  below saturation ({name}) …", style="dim")
        cells = [await once(stack, way, 8, seconds / 2, rate=rate) for way in WAYS]
        rounds.append(cells)
    return rounds


def idle_ratio() -> float:
    """How many times as long memory of a second-level cache's size takes to read after 9 ms as right after."""
    found = cold.measure(cold.reading(IDLE_KIB), (0.0, IDLE_SECONDS), 100)
    return found[IDLE_SECONDS] / found[0.0]


async def measure(stack: Stack, seconds: float, levels: tuple[int, ...]) -> dict[str, Any]:
    """Everything with one worker, with a line of progress per cell."""
    report: dict[str, Any] = {"non_stream": [], "stream": [], "below_saturation": {}, "conversation": []}
    await warm_up(stack, seconds)
    for kind, stream in (("non_stream", False), ("stream", True)):
        for concurrency in levels:
            for way in WAYS:
                console.print(f"  {kind.replace('_', '-')}, concurrency {concurrency}, {way} …", style="dim")
                report[kind].append(await once(stack, way, concurrency, seconds, stream=stream))
    saturated = {
        cell["way"]: cell["rps"] for cell in report["non_stream"] if cell["concurrency"] == 8 or len(levels) == 1
    }
    report["saturated"] = saturated["PII on"]
    report["idle_ratio"] = idle_ratio()
    report["below_saturation"] |= await below_saturation(stack, seconds, saturated["PII on"], ONE)
    for way in WAYS:
        console.print(f"  ten-turn conversations, {way} …", style="dim")
        report["conversation"].append(await conversations(stack, way, seconds))
    return report


def _table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _cpu(cell: dict[str, Any], key: str = "cpu_us_per_request") -> list[str]:
    return [f"{cell[key].get(role, 0.0):.0f}" for role in ("data plane", "control plane", "envoy")]


def show(report: dict[str, Any]) -> None:
    """Print the report as tables."""
    percentiles = ("p50_ms", "p95_ms", "p99_ms")
    columns = [
        "way",
        "c",
        "requests/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "errors",
        "data plane µs",
        "control plane µs",
        "Envoy µs",
    ]
    low = {label: [_middle(list(cells)) for cells in zip(*rounds, strict=True)]
           for label, rounds in report["below_saturation"].items()}  # fmt: skip
    offered = f"One answer, a share of what one worker does offered, medians of {ROUNDS} rounds"
    for title, cells in (
        ("One answer, closed loop", report["non_stream"]),
        *((f"{offered}: {label}", cells) for label, cells in low.items()),
    ):
        rows = [
            [cell["way"], str(cell["concurrency"]), f"{cell['rps']:.0f}", *(f"{cell[p]:.1f}" for p in percentiles),
             str(cell["errors"]), *_cpu(cell)]
            for cell in cells
        ]  # fmt: skip
        _table(title, columns, rows)
    rows = [
        [cell["way"], str(cell["concurrency"]), f"{cell['rps']:.0f}", f"{cell['first_token_p50_ms']:.1f}",
         f"{cell['first_token_p95_ms']:.1f}", f"{cell['gap_p50_ms']:.2f}", f"{cell['gap_p95_ms']:.2f}", str(cell["errors"]),
         *_cpu(cell, "cpu_us_per_chunk")]
        for cell in report["stream"]
    ]  # fmt: skip
    _table("Streams, closed loop (CPU per chunk)", ["way", "c", "streams/s", "first token p50 ms", "p95 ms", "gap p50 ms", "p95 ms",
           "errors", "data plane µs", "control plane µs", "Envoy µs"], rows)  # fmt: skip
    rows = [
        [
            cell["way"],
            f"{cell['rps']:.0f}",
            f"{cell['p50_ms']:.1f}",
            f"{cell['p95_ms']:.1f}",
            str(cell["errors"]),
            *_cpu(cell),
        ]
        for cell in report["conversation"]
    ]
    _table("Ten-turn conversations, 8 clients", ["way", "requests/s", "p50 ms", "p95 ms", "errors", "data plane µs",
           "control plane µs", "Envoy µs"], rows)  # fmt: skip
    memory = report["non_stream"][-1]
    _table("Memory after the load, MiB", ["process", "unshared", "resident"],
           [[role, f"{memory['uss_mib'][role]:.0f}", f"{memory['rss_mib'][role]:.0f}"] for role in memory["uss_mib"]])  # fmt: skip
    verdict(report)


def _middle(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """One cell out of the rounds of a way: median times, mean processor time, all errors."""
    cpu = {role: statistics.mean(cell["cpu_us_per_request"][role] for cell in cells)
           for role in cells[0]["cpu_us_per_request"]}  # fmt: skip
    times = {key: statistics.median(cell[key] for cell in cells) for key in ("rps", "p50_ms", "p95_ms", "p99_ms")}
    return {**cells[0], **times, "cpu_us_per_request": cpu, "errors": sum(cell["errors"] for cell in cells)}


def _added(rounds: Rounds) -> list[float]:
    """What PII on adds to the 95th percentile, by round, ascending; milliseconds."""
    by_way = [{cell["way"]: cell["p95_ms"] for cell in cells} for cells in rounds]
    return sorted(p95["PII on"] - p95["direct"] for p95 in by_way)


def verdict(report: dict[str, Any]) -> None:
    """The bars the project set itself, from this run."""
    at8 = {cell["way"]: cell for cell in report["non_stream"] if cell["concurrency"] == 8}
    lines = []
    for label, rounds in report["below_saturation"].items():
        added = _added(rounds)
        middle, said = statistics.median(added), f"rounds {added[0]:.1f} to {added[-1]:.1f}"
        name = f"PII on adds to p95 below saturation, {label}"
        lines.append((name, f"{middle:.1f} ms ({said})", "≤ 8 ms", middle <= 8))
    for way, bar in (("PII off", 700), ("PII on", 150)):
        if way in at8:
            # One worker saturated is one core's worth; scale by the CPU it really used.
            per_core = 1e6 / at8[way]["cpu_us_per_request"].get("data plane", float("inf"))
            lines.append(
                (f"{way}: requests per second per data-plane core", f"{per_core:.0f}", f"≥ {bar}", per_core >= bar)
            )
            lines.append(
                (
                    f"{way}: requests/s measured with one worker",
                    f"{at8[way]['rps']:.0f}",
                    f"≥ {bar}",
                    at8[way]["rps"] >= bar,
                )
            )
    ratio = report["idle_ratio"]
    console.print(
        f"this machine reads {IDLE_KIB} KiB untouched for {IDLE_SECONDS * 1e3:.0f} ms {ratio:.1f} times as slowly"
    )
    for what, figure, bar_text, held in lines:
        console.print(f"{'[green]holds[/]' if held else '[red]misses[/]'}  {what}: {figure} (bar {bar_text})")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="per cell (default 4)")
    parser.add_argument("--quick", action="store_true", help="concurrency 8 only, one second per cell")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    console.print(f"Python {sys.version}")
    console.print("starting Envoy, PostgreSQL, both planes and a simulated provider …")
    with running() as stack:
        levels, seconds = ((8,), 1.0) if options.quick else (CONCURRENCY, options.seconds)
        report = uvloop.run(measure(stack, seconds, levels))
    for label, started in OTHERS.items():
        console.print(f"starting the same with {label} …")
        with running(**started) as stack:
            uvloop.run(warm_up(stack, seconds))
            report["below_saturation"] |= uvloop.run(below_saturation(stack, seconds, report["saturated"], label))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    show(report)
    rounds = [cells for some in report["below_saturation"].values() for cells in some]
    errors = sum(cell["errors"] for cells in (report["non_stream"], report["stream"], *rounds) for cell in cells)
    errors += sum(cell["errors"] for cell in report["conversation"])
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
