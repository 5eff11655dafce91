"""An admin server with known answers, on a unix socket: what the commands show and send is tested against it."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from click.testing import CliRunner, Result
from kagamichain.chain import GENESIS, link
from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.admin.v1.admin_pb2_grpc import AdminServicer
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Denied

from controlplane.cli import main

ALERT = pb.Alert(
    alert_id="alert_q1_0_80", tenant="acme", quota="month", unit=pb.UNIT_MICRO_USD, window=pb.WINDOW_MONTH, percent=80,
    settled=1_600_000, cap=2_000_000, at_unix_micros=1_700_000_001_000_000, state="delivered", attempts=2,
    last_status=204, writer="cp-0",
)  # fmt: skip


class KnownAdmin(AdminServicer):
    """Answers from its attributes and keeps what it was asked."""

    def __init__(self) -> None:
        self.applied: list[pb.ApplyRequest] = []
        self.queries: list[pb.AuditQuery] = []
        self.usage_queries: list[pb.UsageQuery] = []
        self.tokens: list[str] = []
        self.refusal: tuple[grpc.StatusCode, str] | None = None
        self.entries = [AuditEntry(request_id=f"r{n}", denied=Denied(code="invalid_api_key")) for n in range(3)]

    def Apply(self, request: pb.ApplyRequest, context: grpc.ServicerContext) -> pb.ApplyReply:
        self.tokens += [str(v) for k, v in context.invocation_metadata() if k == "authorization"]
        if self.refusal:
            context.abort(*self.refusal)
        self.applied.append(request)
        changes = [pb.Change(verb="create", kind="tenant", name=t.name) for t in request.manifest.tenants]
        issued = [
            pb.IssuedKey(tenant=k.tenant, name=k.name, key_id="k1", secret="sk-new") for k in request.manifest.keys
        ]
        return pb.ApplyReply(changes=changes, issued=issued, revision="7")

    def Budgets(self, request: pb.BudgetRequest, context: grpc.ServicerContext) -> pb.BudgetReply:
        quota = pb.Quota(
            name="month", tenant="acme", model="m", unit=pb.UNIT_MICRO_USD, window=pb.WINDOW_MONTH, cap=2_000_000
        )
        return pb.BudgetReply(
            budgets=[
                pb.Budget(
                    quota=quota,
                    settled=500_000,
                    reserved=1,
                    leased=3,
                    forecast=2_500_000,
                    exhausted_at=1_700_000_500,
                    leases=[pb.BudgetLease(owner="cp-0.ab", node="cp-0", amount=3)],
                )
            ]
        )

    def UsageHistory(self, request: pb.UsageQuery, context: grpc.ServicerContext) -> pb.UsageReply:
        self.usage_queries.append(request)
        sums = {"requests": 3, "input_tokens": 1200, "output_tokens": 34, "cost_micro_usd": 5_000_000}
        named = {pb.USAGE_BY_DAY: {"day": "2026-11-20"}, pb.USAGE_BY_MODEL: {"model": "chat"}}
        return pb.UsageReply(
            usage=[pb.Usage(tenant="acme", **sums, **named.get(request.by, {"key_id": "key_1", "key": "app"}))]
        )

    def Alerts(self, request: pb.AlertQuery, context: grpc.ServicerContext) -> pb.AlertReply:
        return pb.AlertReply(alerts=[ALERT])

    def Audit(self, request: pb.AuditQuery, context: grpc.ServicerContext) -> pb.AuditReply:
        self.queries.append(request)
        if request.request_id == "unknown":
            return pb.AuditReply()
        attempt = pb.AuditAttempt(attempt=1, provider="sim", input_tokens=3, output_tokens=4, request_pii={"PERSON": 2})
        record = pb.AuditRecord(
            request_id="r1", tenant="acme", model="m", outcome="completed", http_status=200, attempts=[attempt],
            at_unix_micros=1_700_000_000_000_000, cost_micro_usd=12,
        )  # fmt: skip
        return pb.AuditReply(records=[record], alerts=[] if request.request_id else [ALERT])

    def ExportChains(self, request: pb.ExportRequest, context: grpc.ServicerContext) -> Iterator[pb.ExportedFrame]:
        previous = GENESIS
        for seq, entry in enumerate(self.entries, 1):
            content = entry.SerializeToString(deterministic=True)
            previous = link("w", seq, previous, content)
            yield pb.ExportedFrame(writer="w", seq=seq, link=previous, entry=content)

    def Status(self, request: pb.StatusRequest, context: grpc.ServicerContext) -> pb.StatusReply:
        return pb.StatusReply(node="cp-0", revision="7", envoy_revisions={"envoy-1": "7"})


def kagami(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, env={"COLUMNS": "200"})
