"""What an administrator asks of the ledger, answered as messages of `kagamipb.admin.v1`.

Reads only; raises SQLAlchemyError or OSError when the database is away.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping

from kagamipb.admin.v1 import admin_pb2
from kagamipb.ledger.v1.ledger_pb2 import Outcome
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.quota import Account
from controlplane.domain.reservation import ReservationError, WindowKey, decode
from controlplane.domain.snapshot import Quota, Snapshot
from controlplane.domain.webhooks import Alert
from controlplane.domain.windows import bounds, rolls
from controlplane.ledger.record import Attempt, Record
from controlplane.ledger.rows import attempt_of, record_of
from controlplane.store import alerts
from controlplane.store import ledger as store
from controlplane.store.quota import QuotaStore

_DEFAULT_LIMIT, _MOST = 50, 1000


class Queries:
    """The read side of the ledger."""

    def __init__(
        self,
        engine: AsyncEngine,
        quotas: QuotaStore,
        snapshot: Callable[[], Snapshot | None],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._quotas, self._snapshot, self._wall = engine, quotas, snapshot, wall

    async def budgets(self, request: admin_pb2.BudgetRequest) -> admin_pb2.BudgetReply:
        """Every quota of a tenant (or of all) with its current window: settled, held by open requests,
        leased.
        """
        snapshot = self._snapshot()
        if snapshot is None:
            return admin_pb2.BudgetReply()
        tenants = [request.tenant] if request.tenant else sorted(snapshot.quotas)
        quotas = [quota for tenant in tenants for quota in snapshot.quotas.get(tenant, ())]
        accounts = await self._quotas.accounts([quota.quota_id for quota in quotas])
        held = _held(await store.holding(self._engine))
        now = self._wall()
        return admin_pb2.BudgetReply(budgets=[_budget(q, snapshot, accounts, held, now) for q in quotas])

    async def audit(self, query: admin_pb2.AuditQuery) -> admin_pb2.AuditReply:
        """Requests, newest first, each with its attempts."""
        limit = min(query.limit or _DEFAULT_LIMIT, _MOST)
        rows, attempts = await store.recent(self._engine, tenant=query.tenant, request_id=query.request_id, limit=limit)
        records = {row.request_id: record_of(dict(row._mapping)) for row in rows}  # noqa: SLF001  its public name
        for found in attempts:
            records[found.request_id].attempts[found.attempt, found.writer] = attempt_of(found)
        reply = admin_pb2.AuditReply(records=[_record(record) for record in records.values()])
        if not query.request_id:
            written = await alerts.recent(self._engine, tenant=query.tenant, limit=limit, in_trail=True)
            reply.alerts.extend(map(_alert, written))
        return reply

    async def alerts(self, query: admin_pb2.AlertQuery) -> admin_pb2.AlertReply:
        """Alerts, newest first, with what became of their webhooks."""
        limit = min(query.limit or _DEFAULT_LIMIT, _MOST)
        found = await alerts.recent(self._engine, tenant=query.tenant, limit=limit)
        return admin_pb2.AlertReply(alerts=map(_alert, found))

    async def export(self, request: admin_pb2.ExportRequest) -> AsyncIterator[admin_pb2.ExportedFrame]:
        """Chains as stored, writer by writer."""
        async for writer, frame in store.chains(self._engine, request.writer):
            yield admin_pb2.ExportedFrame(writer=writer, seq=frame.seq, link=frame.link, entry=frame.entry)


def _held(reservations: list[str]) -> dict[WindowKey, int]:
    held: dict[WindowKey, int] = {}
    for text in reservations:
        try:
            holds = decode(text).holds
        except ReservationError:
            continue
        for hold in holds:
            held[hold.key] = held.get(hold.key, 0) + hold.amount
    return held


def _budget(
    quota: Quota,
    snapshot: Snapshot,
    accounts: Mapping[WindowKey, Account],
    held: Mapping[WindowKey, int],
    now: float,
) -> admin_pb2.Budget:
    window = bounds(quota.window, snapshot.tenants[quota.tenant].time_zone, now)
    key = WindowKey(quota.quota_id, window.start)
    account = accounts.get(key, Account(quota.cap))
    return admin_pb2.Budget(
        quota=admin_pb2.Quota(
            name=quota.name,
            tenant=quota.tenant,
            key=quota.key,
            model=quota.model,
            user=quota.user,
            provider=quota.provider,
            team=quota.team,
            unit=quota.unit,
            window=quota.window,
            cap=quota.cap,
        ),
        settled=max(0, account.settled),
        reserved=held.get(key, 0),
        leased=max(0, account.leased),
        window_start=int(now) + window.start if rolls(window.start) else window.start,
        window_end=window.end,
    )


def _alert(alert: Alert) -> admin_pb2.Alert:
    return admin_pb2.Alert(
        alert_id=alert.alert_id,
        tenant=alert.tenant,
        quota=alert.quota,
        unit=alert.unit,
        window=alert.window,
        window_start=alert.start,
        percent=alert.percent,
        settled=alert.settled,
        cap=alert.cap,
        at_unix_micros=alert.at_micros,
        state=alert.state,
        attempts=alert.attempts,
        last_status=alert.last_status,
        writer=alert.writer,
    )


def _record(record: Record) -> admin_pb2.AuditRecord:
    attempts = sorted(record.attempts.values(), key=lambda a: (a.attempt, a.writer))
    return admin_pb2.AuditRecord(
        request_id=record.request_id,
        tenant=record.tenant,
        key_id=record.key_id,
        model=record.model,
        outcome=record.outcome,
        http_status=record.http_status,
        code=record.code,
        at_unix_micros=record.at_micros,
        attempts=[_attempt(attempt) for attempt in attempts],
        cost_micro_usd=record.cost_micro_usd,
    )


def _attempt(attempt: Attempt) -> admin_pb2.AuditAttempt:
    outcome = Outcome.Name(attempt.outcome).removeprefix("OUTCOME_").lower()
    return admin_pb2.AuditAttempt(
        attempt=attempt.attempt,
        provider=attempt.provider,
        outcome=outcome if attempt.closed else "open",
        provider_status=attempt.provider_status,
        input_tokens=attempt.input_tokens,
        output_tokens=attempt.output_tokens,
        request_pii=attempt.request_pii,
        response_pii=attempt.response_pii,
        request_received_sha256=attempt.request_received_sha256,
        request_sent_sha256=attempt.request_sent_sha256,
        response_received_sha256=attempt.response_received_sha256,
        response_sent_sha256=attempt.response_sent_sha256,
        writer=attempt.writer,
        seq=attempt.seq,
        link=attempt.link,
        duration_micros=attempt.duration_micros,
    )
