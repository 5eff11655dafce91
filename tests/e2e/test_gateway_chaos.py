"""Replicas, workers and PostgreSQL are killed at random under load; afterwards the money is counted on both sides.

Equal, attempt by attempt, is what a provider reported: the gateway settles exactly what the simulated provider's own
record says. Where no report arrived, because a stream was cut by either side, the gateway settles its own estimate of
what passed, never more than the hold. Where a worker died in mid-answer nobody but the provider knows the use, and the whole hold is settled: never
less than the provider counted, because the hold pays for all the output the request may have.

20 seconds of load; `make chaos` makes it 60 (`KAGAMI_CHAOS_SECONDS`), `KAGAMI_CHAOS_SEED` another schedule.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator

import grpc
import pytest
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, Budget, BudgetRequest
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_WORKER_LOST, Outcome
from support import chaos
from support.simulator import simulator_process
from support.stack import Gateway, Stack, state_directory

log = logging.getLogger(__name__)

SECONDS = float(os.environ.get("KAGAMI_CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("KAGAMI_CHAOS_SEED", "4"))
TIGHT = 24
"""Tenants whose cap is used up within the first seconds of their turn."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(SECONDS + 240)]

BASE = """
policies:
  - name: redact
    enabled: true
    rules: [{entity: "*", request: pseudonym, response: replace}]
"""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A stack of its own: nothing else may be asked of what dies all the time."""
    with state_directory() as state, simulator_process("--interval-ms", "0") as simulator:
        stack = Stack(state, "--control-planes", "2", "--workers", "2")
        try:
            yield Gateway(stack, simulator)
        finally:
            stack.stop()
            if os.environ.get("KAGAMI_TEST_LOGS"):
                shutil.copytree(state / "logs", os.environ["KAGAMI_TEST_LOGS"], dirs_exist_ok=True)


def configure(gateway: Gateway) -> tuple[str, list[str], str]:
    """The model, keys of tenants with little to spend, and the key of one with plenty."""
    names = [f"tight-{n:02d}" for n in range(TIGHT)] + ["wide"]
    keys = {name: f"sk-{name}-0123456789" for name in names}
    text = BASE + "tenants:\n" + "".join(f"  - {{name: {name}, policy: redact}}\n" for name in names)
    text += "keys:\n" + "".join(
        f"  - {{tenant: {name}, name: k, secret: 'env:KEY_{n}', models: ['*']}}\n" for n, name in enumerate(names)
    )
    whole = chaos.amount(UNIT_MICRO_USD, 16, len(chaos.ANSWER))
    caps = {"usd": f"{40 * whole / 1e6:.6f}", "total_tokens": str(40 * len(chaos.ANSWER)), "requests": "40"}
    text += "quotas:\n" + "".join(
        f"  - {{name: {unit.replace('_', '-')}, tenant: {name}, unit: {unit}, window: lifetime, cap: {cap}}}\n"
        for n, name in enumerate(names[:-1])
        for m, (unit, cap) in enumerate(caps.items())
        if n % 3 == m or n % 4 == 3
    )
    text += "  - {name: usd, tenant: wide, unit: usd, window: month, cap: '1000000'}\n"
    text += "  - {name: tokens, tenant: wide, unit: total_tokens, window: lifetime, cap: 100000000000}\n"
    model, provider = "chaos", "chaos-0"
    text += f"providers:\n  - {{name: {provider}, url: '{gateway.simulator.base(provider)}'}}\n"
    text += f"prices:\n  - {{provider: {provider}, model: {model}, input: 2.50, output: 10.00}}\n"
    text += f"routes:\n  - {{model: {model}, targets: [{provider}]}}\n"
    gateway.stack.apply(text, env={f"KEY_{n}": keys[name] for n, name in enumerate(names)})
    return model, [keys[name] for name in names[:-1]], keys["wide"]


def budgets(gateway: Gateway) -> list[Budget]:
    with gateway.stack.admin() as stub:
        return list(stub.Budgets(BudgetRequest(), timeout=10).budgets)


def over_cap(found: list[Budget]) -> list[Budget]:
    return [budget for budget in found if budget.settled + budget.leased > budget.quota.cap]


async def wait_live(gateway: Gateway, key: str, model: str) -> None:
    with gateway.stack.http(key) as http:
        answered = tried = 0
        while answered < 4:
            tried += 1
            message = {"role": "user", "content": f"warm {tried}"}
            body = {"model": model, "messages": [message], "sim": {"content": "."}}
            reply = await asyncio.to_thread(http.post, "/chat/completions", json=body)
            answered = answered + 1 if reply.status_code == 200 else 0


def all_away(error: Exception) -> bool:
    """Whether all control planes, or the database, are away for the moment."""
    return isinstance(error, grpc.RpcError) or "no control plane answers" in str(error)


async def watch(gateway: Gateway) -> None:
    """While everything dies, no cap is ever passed."""
    while True:
        try:
            assert not over_cap(await asyncio.to_thread(budgets, gateway))
        except (grpc.RpcError, AssertionError) as error:
            if not all_away(error):
                raise
        await asyncio.sleep(0.5)


Books = tuple[dict[str, chaos.Request], chaos.Provider]


async def settled(gateway: Gateway, seconds: float = 60) -> Books:
    """Both sides' books, once every attempt has ended and the ledger has settled what it should."""
    deadline, problem = time.monotonic() + seconds, ""
    while not problem or time.monotonic() < deadline:
        try:
            books = await asyncio.to_thread(compared, gateway)
        except (grpc.RpcError, AssertionError) as error:
            if not all_away(error):
                raise
            problem = str(error)
        else:
            if isinstance(books, tuple):
                return books
            problem = books
        await asyncio.sleep(0.5)
    raise AssertionError(problem)


def compared(gateway: Gateway) -> Books | str:
    """The books, or in what they differ."""
    found, provider = chaos.requests(gateway.stack), chaos.Provider(gateway.simulator.records())
    running = [a for r in found.values() for a in r.attempts.values() if a.closed is None]
    wanted = chaos.charges(found, provider)
    have = {(b.quota.tenant, b.quota.unit): b.settled for b in budgets(gateway)}
    difference = {quota: (amount, wanted[quota]) for quota, amount in have.items() if amount != wanted[quota]}
    if not running and not difference:
        return found, provider
    return f"{len(running)} attempts run; settled and owed: {difference}"


async def test_after_everything_was_killed_the_books_of_both_sides_agree(gateway: Gateway) -> None:
    model, keys, spare = configure(gateway)
    await wait_live(gateway, spare, model)
    clients = chaos.Clients(gateway.stack.url, model, keys, spare, SEED)
    watching = asyncio.create_task(watch(gateway))
    _, deaths = await asyncio.gather(clients.run(SECONDS), chaos.havoc(gateway.stack, SECONDS - 1, SEED))
    found, provider = await settled(gateway)
    if watching.done():
        watching.result()
    watching.cancel()
    attempts = [attempt for request in found.values() for attempt in request.attempts.values()]
    for name, figure in report(found, provider, clients, deaths).items():
        log.info("%s: %s", name, figure)
    assert not over_cap(budgets(gateway))
    # Every call a provider got was opened in the audit trail first.
    opened = {attempt.opened.request_sent_sha256 for attempt in attempts if attempt.opened}
    assert provider.hashes <= opened
    for request, hold in chaos.holds(found.values()):
        charged = chaos.charge(request, hold, provider)
        assert charged <= chaos.held(request, hold)
        if all(whole(attempt) for attempt in request.attempts.values()):
            assert charged >= provider.counted(request, hold.unit)
    assert min(deaths["controlplane-0"] + deaths["controlplane-1"], deaths["worker"], deaths["postgres"]) >= 1
    assert gateway.stack.verify()["verified"]


def whole(attempt: chaos.Attempt) -> bool:
    """Whether nothing is in doubt: the provider told its count, or the hold is settled."""
    closed = attempt.closed
    return closed is not None and (closed.usage.reported or closed.outcome == OUTCOME_WORKER_LOST)


def report(
    found: dict[str, chaos.Request], provider: chaos.Provider, clients: chaos.Clients, deaths: Counter[str]
) -> dict[str, object]:
    ends = [a.closed for request in found.values() for a in request.attempts.values() if a.closed]
    cut = [a for r in found.values() for a in r.attempts.values() if a.closed and not whole(a) and provider.call(a)]
    return {
        "deaths": dict(deaths),
        "requests": clients.answers.total(),
        "answers": dict(clients.answers),
        "provider calls": len(provider.calls),
        "ends": dict(Counter(Outcome.Name(end.outcome).removeprefix("OUTCOME_").lower() for end in ends)),
        "use reported": sum(end.usage.reported for end in ends),
        "output of cut answers, settled": sum(a.closed.usage.output_tokens for a in cut if a.closed),
        "as far as the provider said it": sum(chaos.produced(c) for a in cut if (c := provider.call(a)) and c["usage"]),
    }
