"""What a pause costs: the same work right after other work and after some milliseconds of nothing.

usage: python -m bench.cold [--rounds N]

Between two requests a service pauses, and what it had in the processor's caches may go to whoever computes meanwhile.
The pause here is a busy loop, so neither a sleeping core nor a switch of processes explains what it costs; that it is
memory is an inference, for a guest sees no counters of the processor. Pauses come in random order, so a slow minute slows all alike.
Works: one scan of a prompt of 340 characters, one exchange with detection off (the pure session, no I/O).
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence

from kagamipb.policy.v1.policy_pb2 import RedactionPolicy
from rich.console import Console
from rich.table import Table

from bench import prompts
from bench.session import exchange
from dataplane.drivers.analyzer import load_scan
from dataplane.exchange import events as ev
from dataplane.redaction.policy import Policy

PAUSES = (0.0, 0.001, 0.003, 0.009, 0.018)
"""Seconds; at 56 requests a second a worker rests some 10 milliseconds between two of them."""


def measure(work: Callable[[], object], pauses: Sequence[float], rounds: int) -> dict[float, float]:
    """Median microseconds of `work` after each pause, `rounds` times each in random order."""
    order = [pause for pause in pauses for _ in range(rounds)]
    random.Random(1).shuffle(order)
    taken: dict[float, list[float]] = {pause: [] for pause in pauses}
    for pause in order:
        # The work of the round before was cold itself: what a pause is compared with comes right after another.
        work()
        end = time.perf_counter() + pause
        while time.perf_counter() < end:
            pass
        start = time.perf_counter()
        work()
        taken[pause].append(time.perf_counter() - start)
    return {pause: statistics.median(times) * 1e6 for pause, times in taken.items()}


def works() -> dict[str, Callable[[], object]]:
    """What is measured, by name; every call has a prompt of its own."""
    analyzer, numbers = load_scan(), itertools.count(7_000_000)
    off = ev.PolicyFound(Policy.compile(RedactionPolicy(name="p", version="v", enabled=False), b"k" * 32))
    texts = map(prompts.prompt, itertools.count(7_000_000))
    # Made beforehand: to compose a prompt would be work as well.
    ready = itertools.cycle(list(itertools.islice(texts, 4_000)))
    return {
        "scan, 340 characters": lambda: analyzer.scan(next(ready)),
        "exchange, detection off": lambda: exchange(analyzer, off, next(numbers), stream=False),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=150, help="per pause (default 150)")
    rounds = parser.parse_args().rounds
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1: threads of the matrix library only wait for each other here")
    table = Table("µs, median", *(f"after {pause * 1e3:.0f} ms" for pause in PAUSES), "ratio")
    for name, work in works().items():
        for _ in range(300):
            work()
        found = measure(work, PAUSES, rounds)
        table.add_row(
            name, *(f"{value:.0f}" for value in found.values()), f"{found[PAUSES[-1]] / found[PAUSES[0]]:.2f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
