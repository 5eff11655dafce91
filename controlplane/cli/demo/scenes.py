"""The scenes of the demo, each with what proves it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from kagamichain.verify import VerificationError
from kagamipb.admin.v1.admin_pb2 import AuditQuery, AuditRecord, Budget, BudgetRequest, ExportRequest
from rich.live import Live

from controlplane.cli import trail
from controlplane.cli.demo.client import Answer, Client
from controlplane.cli.demo.configuration import FAILOVER_MODEL, MODEL, PERSONAL, PROMPT, TENANT
from controlplane.cli.demo.show import Show, audit_facts, budget_facts, quota_name
from controlplane.cli.local import probes
from controlplane.simulator import answers

_SETTLE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What the scenes act on. `admin` is an AdminStub on an asyncio channel; `simulator` host:port."""

    show: Show
    admin: Any
    simulator: str
    client: Client
    trial: Client


async def main_job(stage: Stage) -> None:
    """A streamed chat: what was sent, what the provider saw, what came back, what was written down."""
    show = stage.show
    show.scene("1  A chat with personal data in it, streamed")
    before = await budgets(stage)
    show.text("the client sends", PROMPT, PERSONAL)
    answer = await _streamed(stage, MODEL, "the client receives")
    record = (await records(stage))[-1]
    seen = str(json.loads(record["body"])["messages"][-1]["content"])
    said = answers.answer(seen, "ja")
    new = [planted.text for planted in said.planted]
    show.text("the provider saw", seen, PERSONAL)
    show.text("the provider answered", said.text, new)
    show.proof("nothing personal in what the provider saw", holds=not any(p in record["body"] for p in PERSONAL))
    show.proof("nothing new and personal in what the client received", holds=not any(p in answer.text for p in new))
    own = PERSONAL[0]
    show.proof(f"the client's own data came back to it ({own})", holds=own in answer.text)
    internal = [name for name, _ in record["headers"] if name.startswith(("x-kagami", "x-envoy", "authorization"))]
    show.proof("no internal header and no client's key reached the provider", holds=not internal)
    await _audit(stage, answer, record)
    await _budget(stage, before, answer)


async def refusal(stage: Stage) -> None:
    """A key whose budget is one request."""
    show = stage.show
    show.scene("2  A budget that holds: this key may make one request")
    first = await stage.trial.refused(MODEL, "一回目です。")
    count = len(await records(stage))
    second = await stage.trial.refused(MODEL, "二回目です。")
    show.proof("the first request is answered", holds=first is None)
    if second is not None:
        show.facts([("second request", f"{second.status} {second.code}: {second.message}")])
    holds = second is not None and (second.status, second.code) == (429, "insufficient_quota")
    show.proof("the second is refused with 429 insufficient_quota", holds=holds)
    show.proof("nothing of it reached the provider", holds=len(await records(stage)) == count)
    if second is not None:
        record = await settled(stage, second.request_id)
        show.proof("the refusal is in the audit trail", holds=record is not None and record.code == second.code)


async def failover(stage: Stage) -> None:
    """A route whose first provider is dead."""
    show = stage.show
    show.scene("3  The first provider is dead")
    answer = await _streamed(stage, FAILOVER_MODEL, "the client receives")
    show.facts([("first token", f"{answer.first_token * 1000:.0f} ms")])
    record = await settled(stage, answer.request_id)
    attempts = [(a.provider, a.outcome) for a in record.attempts] if record else []
    show.facts([(f"attempt {n}", f"{provider}: {outcome}") for n, (provider, outcome) in enumerate(attempts, 1)])
    providers = [provider for provider, _ in attempts]
    show.proof("the next provider answered; both attempts are audited", holds=providers == ["dead", "simulator"])


async def _streamed(stage: Stage, model: str, title: str) -> Answer:
    shown = ""

    def on_text(text: str) -> None:
        nonlocal shown
        shown += text
        live.update(stage.show.marked(f"  {shown}", ()))

    with Live(console=stage.show.console, refresh_per_second=30, transient=True) as live:
        answer = await stage.client.stream(model, PROMPT, on_text)
    own = [p for p in PERSONAL if p in answer.text]
    stage.show.text(f"{title}: first token after {answer.first_token * 1000:.0f} ms", answer.text, own)
    return answer


async def _audit(stage: Stage, answer: Answer, record: dict[str, Any]) -> None:
    audited = await settled(stage, answer.request_id)
    stage.show.scene("   Its audit record")
    if audited is None or not audited.attempts:
        stage.show.proof("the request is in the audit trail", holds=False)
        return
    stage.show.facts(audit_facts(audited))
    attempt = audited.attempts[-1]
    stage.show.proof(
        "the request's hash is that of the bytes the client sent",
        holds=attempt.request_received_sha256 == answer.sent_sha256,
    )
    provider_saw = hashlib.sha256(record["body"].encode()).hexdigest()
    stage.show.proof(
        "the hash sent is that of the bytes the provider received", holds=attempt.request_sent_sha256 == provider_saw
    )
    verifier, links = trail.Verifier(), set()
    problem = ""
    try:
        async for written in _export(stage):
            verifier.take(written)
            links.add((written.writer, written.frame.link.hex()))
    except VerificationError as error:
        problem = str(error)
    claim = f"all {len(verifier.heads)} hash chains verify: {verifier.entries} entries {problem}".strip()
    stage.show.proof(claim, holds=not problem and (attempt.writer, attempt.link) in links)


async def _budget(stage: Stage, before: list[Budget], answer: Answer) -> None:
    stage.show.scene("   Its cost")
    record = await settled(stage, answer.request_id)
    cost = record.cost_micro_usd if record else 0
    after = await budgets(stage)
    money = {quota_name(b): b for b in after}["money"]
    was = {quota_name(b): b for b in before}["money"]
    stage.show.facts(budget_facts([was], "before") + budget_facts([money], "after"))
    stage.show.proof("the budget fell by exactly the request's cost", holds=0 < cost == money.settled - was.settled)


async def _export(stage: Stage) -> Any:
    async for frame in stage.admin.ExportChains(ExportRequest()):
        for written in trail.of_export((frame,)):
            yield written


async def budgets(stage: Stage) -> list[Budget]:
    """The demo tenant's quotas."""
    reply = await stage.admin.Budgets(BudgetRequest(tenant=TENANT), timeout=10)
    return list(reply.budgets)


async def settled(stage: Stage, request_id: str) -> AuditRecord | None:
    """The audit record of a request, once it is no longer open."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        reply = await stage.admin.Audit(AuditQuery(request_id=request_id, limit=1), timeout=10)
        if reply.records and reply.records[0].outcome not in {"open", ""}:
            return AuditRecord.FromString(reply.records[0].SerializeToString())
        await asyncio.sleep(0.05)
    return None


async def records(stage: Stage) -> list[dict[str, Any]]:
    """What the simulated provider received."""
    reply = await probes.http(stage.simulator, "GET", "/_sim/records?limit=100000")
    listed: list[dict[str, Any]] = json.loads(reply.body)["records"]
    return listed
