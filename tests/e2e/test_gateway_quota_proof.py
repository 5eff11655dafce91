"""A cap of four requests under eighty in parallel, again and again: two control planes, four workers, a fresh cap each
time, in money, tokens and requests, streamed and not, all six at once.

Once in the suite; `make quota-proof` repeats it 50 times on one stack (`KAGAMI_QUOTA_PROOF_REPEATS`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from kagamipb.admin.v1.admin_pb2 import Budget, BudgetRequest
from support.simulator import simulator_process
from support.stack import Gateway, Stack, state_directory

REPEATS = int(os.environ.get("KAGAMI_QUOTA_PROOF_REPEATS", "1"))
ADMITTED, PARALLEL = 4, 80

# 100 tokens out at 10 dollars and 8 in at 2.50 dollars per million: 1,020 micro-dollars, 108 tokens.
PROMPT, COMPLETION, COST = 8, 100, 1_020
CAPS = {"usd": (f"{4 * COST / 1e6:.6f}", 4 * COST), "total_tokens": ("432", 432), "requests": ("4", 4)}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120 + 30 * REPEATS)]
log = logging.getLogger(__name__)


class Case(NamedTuple):
    """One cap and those who want to spend it."""

    tenant: str
    unit: str
    stream: bool

    @property
    def key(self) -> str:
        return f"sk-{self.tenant}-0123456789"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """More workers than the suite's own stack has."""
    with state_directory() as state, simulator_process("--interval-ms", "0") as simulator:
        stack = Stack(state, "--control-planes", "2", "--workers", "4")
        try:
            yield Gateway(stack, simulator)
        finally:
            stack.stop()


def cases() -> list[list[Case]]:
    return [
        [Case(f"t{n}-{unit.replace('_', '-')}-{stream:d}", unit, stream) for unit in CAPS for stream in (False, True)]
        for n in range(REPEATS)
    ]


def configure(gateway: Gateway, every: list[Case]) -> None:
    """All tenants at once: what is measured is admission, not configuration."""
    base = gateway.simulator.base("proof")
    text = "policies:\n  - {name: 'off', enabled: false, rules: []}\n"
    text += "tenants:\n  - {name: warm, policy: 'off'}\n"
    text += "".join(f"  - {{name: {case.tenant}, policy: 'off'}}\n" for case in every)
    text += "keys:\n  - {tenant: warm, name: k, secret: 'env:KEY', models: ['*']}\n"
    text += "".join(
        f"  - {{tenant: {case.tenant}, name: k, secret: 'env:KEY_{n}', models: ['*']}}\n"
        for n, case in enumerate(every)
    )
    text += "quotas:\n" + "".join(
        f"  - {{name: cap, tenant: {case.tenant}, unit: {case.unit}, window: lifetime, cap: {CAPS[case.unit][0]}}}\n"
        for case in every
    )
    text += f"providers:\n  - {{name: proof, url: '{base}'}}\n"
    text += "prices:\n  - {provider: proof, model: proof, input: 2.50, output: 10.00}\n"
    text += "routes:\n  - {model: proof, targets: [proof]}\n"
    gateway.stack.apply(
        text, env={f"KEY_{n}": case.key for n, case in enumerate(every)} | {"KEY": "sk-warm-0123456789"}
    )
    gateway.simulator.order(provider="proof", times=-1, completion_tokens=COMPLETION, prompt_tokens=PROMPT)
    body = {"model": "proof", "messages": [{"role": "user", "content": "warm"}]}
    with gateway.stack.http("sk-warm-0123456789") as http:
        answered = 0
        while answered < 4:
            answered = answered + 1 if http.post("/chat/completions", json=body).status_code == 200 else 0


async def spend(gateway: Gateway, case: Case) -> list[httpx.Response]:
    """Eighty at once, each on a connection of its own."""
    message = {"role": "user", "content": "こんにちは", "name": case.tenant}
    body = {"model": "proof", "messages": [message], "stream": case.stream, "max_tokens": COMPLETION}
    headers = {"authorization": f"Bearer {case.key}"}
    limits = httpx.Limits(max_connections=PARALLEL)
    async with httpx.AsyncClient(headers=headers, timeout=60, limits=limits, trust_env=False) as http:
        url = f"{gateway.stack.url}/v1/chat/completions"
        return await asyncio.gather(*(http.post(url, json=body) for _ in range(PARALLEL)))


async def settled(gateway: Gateway, case: Case, seconds: float = 20) -> Budget:
    """The budget once nothing is held any more."""
    deadline = time.monotonic() + seconds
    with gateway.stack.admin() as stub:
        while True:
            (budget,) = (await asyncio.to_thread(stub.Budgets, BudgetRequest(tenant=case.tenant), timeout=10)).budgets
            if budget.settled and not budget.reserved:
                return budget
            assert time.monotonic() < deadline, budget
            await asyncio.sleep(0.05)


def provider_use(records: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """By tenant, as the simulated provider counted it."""
    totals: dict[str, Counter[str]] = {}
    for record in records:
        name = json.loads(record["body"])["messages"][0].get("name", "warm")
        given, output = record["usage"]["prompt_tokens"], record["usage"]["completion_tokens"]
        use = {"requests": 1, "total_tokens": given + output, "usd": -(-given * 5 // 2) + 10 * output}
        totals.setdefault(name, Counter()).update(use)
    return {name: dict(total) for name, total in totals.items()}


async def test_eighty_parallel_requests_on_a_cap_of_four_pass_four_every_time(gateway: Gateway) -> None:
    rounds = cases()
    configure(gateway, [case for one in rounds for case in one])
    answers: Counter[tuple[str, bool, int]] = Counter()
    started = time.monotonic()
    for number, one in enumerate(rounds):
        replies = await asyncio.gather(*(spend(gateway, case) for case in one))
        for case, got in zip(one, replies, strict=True):
            statuses = Counter(reply.status_code for reply in got)
            assert statuses == {200: ADMITTED, 429: PARALLEL - ADMITTED}, (number, case, statuses)
            answers.update((case.unit, case.stream, reply.status_code) for reply in got)
    used = provider_use(gateway.simulator.records())
    for case in (case for one in rounds for case in one):
        budget, cap = await settled(gateway, case), CAPS[case.unit][1]
        assert budget.settled == used[case.tenant][case.unit]
        assert cap - 10 <= budget.settled <= cap
        assert used[case.tenant]["requests"] == ADMITTED
    for (unit, stream, status), count in sorted(answers.items()):
        log.info("%s, %s: %s x %d", unit, "streamed" if stream else "whole", status, count)
    log.info("%d repeats in %.0f s", REPEATS, time.monotonic() - started)
