"""The ledger of one control-plane replica, put together: the one thing the application builds and runs.

ledger = Ledger(engine, journal, lambda: holder.current) await ledger.start()                       #
recovers: ships what is left of the journal, takes old leases back ledger.add_to(server)
# kagamipb.ledger.v1.Ledger task = create_task(ledger.run())           # until cancelled authz uses:
ledger.gate (ports.QuotaGate), ledger.forecast (ports.OutputForecast), journal.append admin uses:
ledger.queries (Budgets, Audit, ExportChains) task.cancel(); await ledger.close()        # ships the rest,
gives leases back; the journal stays the caller's
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import grpc
import structlog
from kagamichain.journal import Journal
from kagamichain.shipper import Shipper
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.forecast import Forecast
from controlplane.domain.snapshot import Snapshot
from controlplane.ledger.queries import Queries
from controlplane.ledger.quota_gate import LeasedQuotaGate
from controlplane.ledger.receiver import Receiver
from controlplane.ledger.servicer import LedgerServicer
from controlplane.ledger.sweeper import Grace, Sweeper
from controlplane.store import ledger as store
from controlplane.store.quota import OWNER_SECONDS, QuotaStore

log = structlog.get_logger()

_REMEMBERED = 2_000
_CLOSE_SECONDS = 5.0


class Ledger:
    """See the module."""

    def __init__(
        self,
        engine: AsyncEngine,
        journal: Journal,
        snapshot: Callable[[], Snapshot | None],
        *,
        grace: Grace | None = None,
        owner_seconds: float = OWNER_SECONDS,
    ) -> None:
        self._engine = engine
        quotas = QuotaStore(engine, owner_seconds=owner_seconds)
        self.forecast = Forecast()
        self.receiver = Receiver(engine, self.forecast)
        self.shipper = Shipper(journal, self.receiver.send, on_error=_not_shipped)
        self.gate = LeasedQuotaGate(quotas, snapshot, journal.writer)
        self.queries = Queries(engine, quotas, snapshot)
        self._sweeper = Sweeper(
            engine, quotas, journal, wall=time.time, monotonic=time.monotonic, grace=grace or Grace()
        )

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register the Ship service."""
        LedgerServicer(self.receiver).add_to(server)

    async def start(self) -> None:
        """Finish what a predecessor left: its journal, its leases. Learns output lengths from the newest
        requests.

        Raises SQLAlchemyError or OSError when the database is away, VerificationError when it holds another
        chain.
        """
        await self.shipper.flush()
        await self.gate.retire_predecessors()
        for row in await store.outputs(self._engine, _REMEMBERED):
            self.forecast.learn(row.tenant, row.model, row.body["output_tokens"])

    async def run(self) -> None:
        """Ship, admit and sweep until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.shipper.run())
            tasks.create_task(self.gate.run())
            tasks.create_task(self._sweeper.run())

    async def close(self) -> None:
        """After `run` was cancelled and the last request was decided: give back what can be given back."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.shipper.flush()
                await self.gate.close()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("ledger.closed_early", reason=type(error).__name__)


def _not_shipped(error: Exception) -> None:
    log.warning("ledger.own_journal_not_stored", reason=type(error).__name__)
