"""What no entry will ever end, ended: one replica at a time looks every few seconds.

- A request whose attempts all ended and of which nothing was heard for `concluded` seconds is final: Envoy
did not try again. - A request that was admitted and reached no data plane within `unseen` seconds is
abandoned: an `Abandoned` entry is appended to this replica's journal and releases its reservation when it
arrives like any other. - A request whose data plane neither closed it nor was restarted for `lost` seconds
is final and charged in full. - Leases of replicas that stopped renewing go back, but for what their
unsettled requests hold; only once this replica has itself been in touch with the database for a whole lease
time, so that after an outage everyone may come back.

Entries that arrive later all the same are folded in and charged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import psycopg
import structlog
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_WORKER_LOST, Abandoned, AuditEntry
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.ledger import rows
from controlplane.ledger.receiver import settle_and_write
from controlplane.ledger.record import Record, conclude
from controlplane.store import alerts, batches
from controlplane.store.quota import QuotaStore
from controlplane.store.transactions import begin

log = structlog.get_logger()

BATCH = 500
_FORGET_EVERY = 3600.0


class AuditLog(Protocol):
    """This replica's own journal."""

    def append(self, entry: bytes) -> object:
        """Add an entry; raises when it cannot be written."""
        ...


@dataclass(frozen=True, slots=True)
class Grace:
    """Seconds of silence before a verdict."""

    concluded: float = 5.0
    unseen: float = 120.0
    lost: float = 3600.0
    interval: float = 2.0


class Sweeper:
    """Housekeeping of the ledger. `wall` gives Unix seconds, `monotonic` any steady seconds."""

    def __init__(
        self,
        engine: AsyncEngine,
        quotas: QuotaStore,
        journal: AuditLog,
        *,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
        grace: Grace = Grace(),
        zones: Callable[[str], str] = lambda _: "UTC",
    ) -> None:
        self._engine, self._quotas, self._journal, self._grace = engine, quotas, journal, grace
        self._wall, self._monotonic, self._zones = wall, monotonic, zones
        self._in_touch_since = monotonic()
        self._forget_at = monotonic()

    async def run(self) -> None:
        """Sweep for ever; a failure is logged and the next round tries again."""
        while True:
            await asyncio.sleep(self._grace.interval)
            try:
                await self.sweep()
            except (SQLAlchemyError, psycopg.Error, OSError) as error:
                self._in_touch_since = self._monotonic()
                log.warning("sweeper.failed", reason=type(error).__name__)
            except Exception:
                log.exception("sweeper.broken")

    async def sweep(self) -> int:
        """One round; the number of requests given a verdict."""
        async with begin(self._engine) as connection:
            if not await batches.try_lead(connection):
                return 0
            g = self._grace
            ids = await batches.silent(connection, concluded=g.concluded, unseen=g.unseen, lost=g.lost, limit=BATCH)
            records = await rows.locked(connection, ids) if ids else {}
            for record in records.values():
                self._judge(record)
            await settle_and_write(connection, records.values(), self._zones)
        await self._retire_dead()
        await self._forget()
        return len(records)

    def _judge(self, record: Record) -> None:
        if not record.attempts:
            self._abandon(record)
            return
        for attempt in record.attempts.values():
            if not attempt.closed:
                attempt.outcome = OUTCOME_WORKER_LOST
        record.final = True
        conclude(record)

    def _abandon(self, record: Record) -> None:
        """The verdict comes back through the journal: until then the row is merely touched."""
        entry = AuditEntry(request_id=record.request_id, at_unix_micros=int(self._wall() * 1e6))
        entry.abandoned.CopyFrom(Abandoned(reservation_id=record.reservation, tenant=record.tenant))
        self._journal.append(entry.SerializeToString(deterministic=True))

    async def _forget(self) -> None:
        if self._monotonic() >= self._forget_at:
            self._forget_at = self._monotonic() + _FORGET_EVERY
            await self._quotas.forget()
            await alerts.forget(self._engine)

    async def _retire_dead(self) -> None:
        if self._monotonic() - self._in_touch_since < self._quotas.owner_seconds:
            return
        for owner in await self._quotas.owners(expired=True):
            if await self._quotas.retire(owner):
                log.warning("quota.owner_retired", owner=owner)
