"""Tells of alerts: writes each to the audit trail and sends it to the tenant's webhook.

Every replica looks every second; what one is busy with the others skip. An alert is in the trail exactly once unless
a replica dies between writing and noting so: then a second entry says the same under the same id. A webhook is sent
at least once, under the alert's id, until somebody answers 2xx, `MOST_ATTEMPTS` were made, or the receiver says
410 (it does not want them). Attempts run side by side, few of one tenant at a time: a receiver that hangs holds up
others by one time limit at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import httpx
import psycopg
import structlog
from kagamichain.errors import JournalError
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, QuotaAlert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain import webhooks
from controlplane.domain.webhooks import Alert, WebhookError
from controlplane.ledger.webhook_client import WebhookClient
from controlplane.store import alerts as store
from controlplane.store.transactions import begin

INTERVAL = 1.0
WRITTEN_AT_ONCE = 100
SENT_AT_ONCE = 32
SENT_AT_ONCE_EACH = 4
"""Of one tenant."""
_GONE = 410
_FAILURES = (SQLAlchemyError, psycopg.Error, OSError, JournalError, TimeoutError)

log = structlog.get_logger()


class Journal(Protocol):
    """This replica's own."""

    writer: str

    def append(self, entry: bytes) -> object:
        """Add an entry; raises JournalError when it cannot be written."""
        ...


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a tenant's alerts go."""

    url: str
    secret: bytes = field(repr=False)


Find = Callable[[str], Destination | None]
"""By tenant; None = nowhere. Raises WebhookError when there is an address and its secret cannot be had."""


class Alerts:
    """Run `run` as a task. `chance` gives numbers in [0, 1), `wall` Unix seconds."""

    def __init__(
        self,
        engine: AsyncEngine,
        journal: Journal,
        find: Find,
        *,
        wall: Callable[[], float],
        chance: Callable[[], float],
        client: WebhookClient | None = None,
    ) -> None:
        self._engine, self._journal, self._find = engine, journal, find
        self._wall, self._chance, self._client = wall, chance, client or WebhookClient()

    async def run(self) -> None:
        """For ever; a failure is logged, once, and the next round tries again."""
        failed = False
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.write()
                await self.send()
                failed = False
            except _FAILURES as error:
                if not failed:
                    log.warning("alerts.failed", reason=type(error).__name__)
                failed = True
            except Exception:
                log.exception("alerts.broken")

    async def write(self) -> int:
        """Append what the trail does not hold yet; how many."""
        async with begin(self._engine) as connection:
            alerts = await store.unwritten(connection, WRITTEN_AT_ONCE)
            for alert in alerts:
                self._journal.append(entry(alert))
            await store.written(connection, alerts, self._journal.writer)
        return len(alerts)

    async def send(self) -> int:
        """Send those whose time has come; how many were tried."""
        alerts: Sequence[Alert] = await store.claim(self._engine, SENT_AT_ONCE, each=SENT_AT_ONCE_EACH)
        await asyncio.gather(*(self._send(alert) for alert in alerts))
        return len(alerts)

    async def _send(self, alert: Alert) -> None:
        status = 0
        try:
            destination = self._find(alert.tenant)
            if destination is None:
                return await store.conclude(self._engine, alert, "none", status=0)
            status = await self._post(alert, destination)
        except (WebhookError, httpx.HTTPError, OSError, TimeoutError) as error:
            log.warning("alerts.not_sent", alert=alert.alert_id, reason=type(error).__name__)
        if 200 <= status < 300:
            return await store.conclude(self._engine, alert, "delivered", status=status)
        if status == _GONE or alert.attempts >= webhooks.MOST_ATTEMPTS:
            log.warning("alerts.given_up", alert=alert.alert_id, status=status, attempts=alert.attempts)
            return await store.conclude(self._engine, alert, "failed", status=status)
        pause = webhooks.pause(alert.attempts, self._chance())
        return await store.conclude(self._engine, alert, "waiting", status=status, pause=pause)

    async def _post(self, alert: Alert, destination: Destination) -> int:
        content, key = webhooks.body(alert), webhooks.signing_key(destination.secret)
        headers = webhooks.headers(alert.alert_id, int(self._wall()), content, key)
        return await self._client.post(destination.url, headers, content)


def entry(alert: Alert) -> bytes:
    """The audit entry, serialised deterministically."""
    event = QuotaAlert(
        tenant=alert.tenant,
        quota=alert.quota,
        quota_id=alert.quota_id,
        unit=alert.unit,
        window=alert.window,
        window_start=alert.start,
        percent=alert.percent,
        settled=alert.settled,
        cap=alert.cap,
    )
    message = AuditEntry(request_id=alert.alert_id, at_unix_micros=alert.at_micros, quota_alert=event)
    return message.SerializeToString(deterministic=True)
