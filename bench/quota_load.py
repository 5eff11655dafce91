"""What quotas cost the whole gateway: `python -m bench.quota_load [--pairs N] [--seconds S]`.

Two tenants, alike but for four quotas one of them has (money a month, tokens a day, requests an hour and for its whole
life). Both are loaded in turn, in short slices whose order alternates, so that whatever else the machine does meets
both; the figure is the median of the ratios of neighbouring slices. Detection is off in both: it would hide the
difference. Also counted: exchanges of leases with the database, from PostgreSQL's own statistics.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import psutil
import psycopg
import uvloop

from bench import load, processes, prompts
from bench.stack import Stack, running

KEYS = {"without": "sk-bench-without-quotas-000", "with": "sk-bench-with-quotas-000000"}
_OBJECTS = """
tenants: [{name: without, policy: "off"}, {name: with, policy: "off"}]
keys:
  - {tenant: without, name: k, secret: "env:KEY_WITHOUT", models: ["*"]}
  - {tenant: with, name: k, secret: "env:KEY_WITH", models: ["*"]}
quotas:
  - {name: money, tenant: with, unit: usd, window: month, cap: "1000000"}
  - {name: tokens, tenant: with, unit: total_tokens, window: day, cap: 100000000000}
  - {name: hourly, tenant: with, unit: requests, window: hour, cap: 1000000000}
  - {name: ever, tenant: with, unit: requests, window: lifetime, cap: 1000000000}
"""
_seeds = itertools.count(1)


def configure(stack: Stack) -> None:
    """Add the two tenants to the bench's own."""
    apply = [str(Path(sys.executable).with_name("kagami")), "apply", "-f", "-", "--state", str(stack.state)]
    env = {**os.environ, "KEY_WITHOUT": KEYS["without"], "KEY_WITH": KEYS["with"]}
    subprocess.run(apply, input=_OBJECTS, text=True, check=True, env=env, stdout=subprocess.DEVNULL)


def requests(stack: Stack, key: str) -> Callable[[int, int], bytes]:
    """Each with a text of its own."""
    host = f"127.0.0.1:{stack.gateway_port}"

    def build(_slot: int, _index: int) -> bytes:
        messages = [{"role": "user", "content": prompts.prompt(next(_seeds))}]
        body = orjson.dumps({"model": "bench", "messages": messages, "max_tokens": 200})
        return load.request_bytes("/v1/chat/completions", host, body, key)

    return build


def exchanges(stack: Stack) -> int:
    """Exchanges of leases so far: each renews its owner and remembers its reply."""
    for process in psutil.Process(stack.pid).children(recursive=True):
        if processes.role_of(process) == "control plane":
            url = process.environ()["KAGAMI_DATABASE_URL"]
            with psycopg.connect(url, autocommit=True) as connection:
                query = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'quota_owners'"
                row = connection.execute(query).fetchone()
                return int(row[0]) // 2 if row else 0
    raise RuntimeError("no control plane runs")


async def slice_(stack: Stack, way: str, seconds: float, concurrency: int) -> tuple[load.Result, dict[str, float]]:
    """One slice: what the clients saw, and CPU seconds by role."""
    before = processes.measure(stack.pid)
    build = requests(stack, KEYS[way])
    result = await load.run("127.0.0.1", stack.gateway_port, build, concurrency=concurrency, seconds=seconds)
    return result, processes.spent(before, processes.measure(stack.pid))


async def measure(stack: Stack, pairs: int, seconds: float, concurrency: int) -> int:
    """Print the comparison; the number of failed requests."""
    for way in KEYS:
        await slice_(stack, way, 2.0, concurrency)
    ratios, counts, failed = [], dict.fromkeys(KEYS, 0), 0
    spent: dict[str, dict[str, float]] = {way: {} for way in KEYS}
    trips = exchanges(stack)
    for pair in range(pairs):
        rates = {}
        for way in list(KEYS)[:: 1 if pair % 2 else -1]:
            result, cpu = await slice_(stack, way, seconds, concurrency)
            rates[way] = result.rate
            counts[way] += len(result.samples)
            failed += len(result.errors)
            for role, used in cpu.items():
                spent[way][role] = spent[way].get(role, 0.0) + used
        ratios.append(rates["with"] / rates["without"])
    trips = exchanges(stack) - trips
    for way, count in counts.items():
        cpu_each = ", ".join(f"{role} {used / count * 1e6:.0f} us" for role, used in spent[way].items())
        print(f"{way} quotas: {count} requests, {count / pairs / seconds:.0f}/s; CPU each: {cpu_each}")
    low, _, high = statistics.quantiles(ratios, n=4)
    print(f"throughput with quotas: {statistics.median(ratios):.1%} of that without (quartiles {low:.1%}, {high:.1%})")
    print(f"exchanges with the database: {trips}, {trips / max(1, counts['with']):.2%} of the requests with quotas")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.quota_load", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=2.0, help="per slice")
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    with running() as stack:
        configure(stack)
        failed = uvloop.run(measure(stack, options.pairs, options.seconds, options.concurrency))
    print(f"failed requests: {failed}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
