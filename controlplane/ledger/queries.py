"""What an administrator asks of the ledger, answered as messages of `kagamipb.admin.v1`.

Reads only; raises SQLAlchemyError or OSError when the database is away.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date
from typing import Literal, NamedTuple

from kagamipb.admin.v1 import admin_pb2
from kagamipb.ledger.v1.ledger_pb2 import Outcome
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.projection import Past, project
from controlplane.domain.quota import Account
from controlplane.domain.reservation import ReservationError, WindowKey, decode
from controlplane.domain.snapshot import Quota, Snapshot
from controlplane.domain.webhooks import Alert
from controlplane.domain.windows import Bounds, bounds, rolls
from controlplane.ledger.record import Attempt, Record
from controlplane.ledger.rows import attempt_of, record_of
from controlplane.store import alerts
from controlplane.store import ledger as store
from controlplane.store.quota import Leased, QuotaStore, leases
from controlplane.store.usage import history

_DEFAULT_LIMIT, _MOST = 50, 1000
_BY: dict[admin_pb2.UsageBy, Literal["day", "key_id", "model"]] = {
    admin_pb2.USAGE_BY_DAY: "day",
    admin_pb2.USAGE_BY_KEY: "key_id",
    admin_pb2.USAGE_BY_MODEL: "model",
}


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
        ids = [quota.quota_id for quota in quotas]
        books = _Books(
            await self._quotas.accounts(ids), _held(await store.holding(self._engine)), await leases(self._engine, ids)
        )
        now = self._wall()
        zones = {tenant: snapshot.tenants[tenant].time_zone for tenant in tenants if tenant in snapshot.tenants}
        return admin_pb2.BudgetReply(budgets=[_budget(quota, zones[quota.tenant], books, now) for quota in quotas])

    async def usage(
        self, by: admin_pb2.UsageBy, tenant: str, first: date | None, last: date | None
    ) -> admin_pb2.UsageReply:
        """What finished requests used, added up."""
        column = _BY.get(by, "day")
        rows = await history(self._engine, column, tenant=tenant, first=first, last=last)
        snapshot = self._snapshot()
        names = {key.key_id: key.name for key in snapshot.keys.values()} if snapshot and column == "key_id" else {}
        reply = admin_pb2.UsageReply()
        for row in rows:
            values = dict(row._mapping)  # noqa: SLF001  its public name
            if "day" in values:
                values["day"] = values["day"].isoformat()
            reply.usage.add(**values, key=names.get(values.get("key_id", ""), ""))
        return reply

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


class _Books(NamedTuple):
    accounts: Mapping[WindowKey, Account]
    held: Mapping[WindowKey, int]
    leases: Mapping[WindowKey, list[Leased]]


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


def _budget(quota: Quota, zone: str, books: _Books, now: float) -> admin_pb2.Budget:
    window = bounds(quota.window, zone, now)
    key = WindowKey(quota.quota_id, window.start)
    account = books.accounts.get(key, Account(quota.cap))
    settled = max(0, account.settled)
    projection = project(window, now, settled, quota.cap, _past(quota, window, zone, books))
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
        settled=settled,
        reserved=books.held.get(key, 0),
        leased=max(0, account.leased),
        window_start=int(now) + window.start if rolls(window.start) else window.start,
        window_end=window.end,
        leases=[admin_pb2.BudgetLease(owner=o, node=n, amount=a) for o, n, a in books.leases.get(key, ())],
        forecast=projection.at_end if projection else None,
        exhausted_at=projection.exhausted_at if projection else 0,
    )


def _past(quota: Quota, window: Bounds, zone: str, books: _Books) -> Past | None:
    if not window.end:
        return None
    before = bounds(quota.window, zone, window.start - 1)
    account = books.accounts.get(WindowKey(quota.quota_id, before.start))
    return Past(max(0, account.settled), before.end - before.start) if account else None


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
