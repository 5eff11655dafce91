"""What a pause costs: the same work right after other work and after some milliseconds of nothing.

usage: python -m bench.cold [--rounds N]

Between two requests a service pauses, and what it had in the processor's caches may go to whoever computes meanwhile.
The pause here is a busy loop, so neither a sleeping core nor a switch of processes explains what it costs. Pauses come
in random order, so a slow minute slows all alike.
Works: one scan of a prompt of 340 characters, and the same where a worker rehearses in the pause, as it does when it
waits awake (`dataplane.app.rehearsal`); one exchange with detection off (the pure session, no I/O); and nothing but reading as much memory as the row says, in random order. Where the last ones grow with the pause, caches lose what
is in them while nothing of ours runs, and a latency at low load says as much about the machine as about the program.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy
from rich.console import Console
from rich.table import Table

from bench import prompts
from bench.session import exchange
from dataplane.app.rehearsal import Rehearsal
from dataplane.drivers.analyzer import load_scan
from dataplane.exchange import events as ev
from dataplane.redaction.policy import Policy

MEMORY_KIB = (16, 512, 8_192)
PAUSES = (0.0, 0.001, 0.003, 0.009, 0.018)
"""Seconds; at 56 requests a second a worker rests some 10 milliseconds between two of them."""

# An element, its place in the order, and where it goes.
_BYTES_READ = 3 * 8


def _rest() -> None:
    """Nothing."""


def measure(
    work: Callable[[], object], pauses: Sequence[float], rounds: int, meanwhile: Callable[[], object] = _rest
) -> dict[float, float]:
    """Median microseconds of `work` after each pause, `rounds` times each in random order; `meanwhile` fills pauses."""
    order = [pause for pause in pauses for _ in range(rounds)]
    random.Random(1).shuffle(order)
    taken: dict[float, list[float]] = {pause: [] for pause in pauses}
    for pause in order:
        # The work of the round before was cold itself: what a pause is compared with comes right after another.
        work()
        end = time.perf_counter() + pause
        while time.perf_counter() < end:
            meanwhile()
        start = time.perf_counter()
        work()
        taken[pause].append(time.perf_counter() - start)
    return {pause: statistics.median(times) * 1e6 for pause, times in taken.items()}


def reading(kib: int) -> Callable[[], object]:
    """Reads as much memory in random order, and nothing else."""
    numbers = np.arange(kib * 1024 // _BYTES_READ, dtype=np.int64)
    order, out = np.random.default_rng(1).permutation(len(numbers)), np.empty_like(numbers)
    return lambda: numbers.take(order, out=out, mode="clip")


def works() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """What is measured, by name, and what fills its pauses; every call has a prompt of its own."""
    analyzer, numbers = load_scan(), itertools.count(7_000_000)
    off = ev.PolicyFound(Policy.compile(RedactionPolicy(name="p", version="v", enabled=False), b"k" * 32))
    texts = map(prompts.prompt, itertools.count(7_000_000))
    # Made beforehand: to compose a prompt would be work as well.
    ready = itertools.cycle(list(itertools.islice(texts, 4_000)))
    return {
        "scan, 340 characters": (lambda: analyzer.scan(next(ready)), _rest),
        "the same, rehearsing meanwhile": (lambda: analyzer.scan(next(ready)), Rehearsal(analyzer).step),
        "exchange, detection off": (lambda: exchange(analyzer, off, next(numbers), stream=False), _rest),
        **{f"reading {kib:,} KiB": (reading(kib), _rest) for kib in MEMORY_KIB},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=150, help="per pause (default 150)")
    rounds = parser.parse_args().rounds
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1: threads of the matrix library only wait for each other here")
    table = Table("µs after a pause of", *(f"{pause * 1e3:.0f} ms" for pause in PAUSES), "ratio")
    for name, (work, meanwhile) in works().items():
        for _ in range(300):
            work()
        found = measure(work, PAUSES, rounds, meanwhile)
        table.add_row(
            name,
            *(f"{value:.0f}" if value >= 10 else f"{value:.1f}" for value in found.values()),
            f"{found[PAUSES[-1]] / found[PAUSES[0]]:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
