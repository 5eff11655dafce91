"""One worker process: everything it holds, from journal to gRPC server, started and stopped in order.

Start: journal (what a dead predecessor left open is closed first), policy feed, shipper, server. Ready (gRPC health
SERVING) with the first policies; before, streams end UNAVAILABLE, for Envoy to ask another worker. Stop: health says
no, and once Envoy has seen it no new streams; running ones get their time, then what the journal holds is shipped once
more, then the journal is closed.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog
from kagamichain.journal import Journal, JournalError
from kagamichain.shipper import Shipper
from kagamirpc import token as cluster
from kagamirpc.health import Health
from kagamirpc.server import NOTICE_SECONDS, Server

from dataplane.app.rehearsal import Rehearsal
from dataplane.drivers.analyzer import Analyzer
from dataplane.drivers.audit import AuditLog
from dataplane.drivers.budget import BudgetClient
from dataplane.drivers.clock import unix_micros
from dataplane.drivers.controlplane import Endpoints, follow_policies, ledger_sender
from dataplane.drivers.logs import Complaint, fault
from dataplane.drivers.policies import PolicyStore
from dataplane.exchange.limits import Limits
from dataplane.exchange.recovery import closing_entries
from dataplane.exchange.session import Session
from dataplane.extproc import server as extproc
from dataplane.extproc.pace import Pace
from dataplane.extproc.servicer import Budget, Services
from dataplane.redaction.cache import FindingsCache
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction
from dataplane.settings import Settings

log = structlog.get_logger()

_LAST_SHIPMENT_SECONDS = 5.0


class Worker:
    """One worker. `run` until `stop` is set; construction opens the journal and may raise JournalError."""

    def __init__(self, settings: Settings, number: int, analyzer: Analyzer) -> None:
        self._settings, self._address = settings, settings.address(number)
        self._analyzer = analyzer
        self._findings = FindingsCache(secrets.token_bytes(32))
        directory = settings.journal_dir / f"dp-{number}"
        self._journal = Journal.open(directory, f"{settings.node}-{number}")
        self._policies = PolicyStore(settings.hash_key, analyzer.bind, report=_unusable_policy)
        self._audit = AuditLog(self._journal, time.monotonic)
        self._health = Health(lambda: not self._audit.troubled)
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`. Raises JournalError when the journal can be written no more: only a new process helps."""
        recovered = recover(self._journal, unix_micros())
        endpoints = Endpoints(self._settings.controlplanes, self._settings.cluster_token)
        shipper = Shipper(
            self._journal, ledger_sender(endpoints), on_error=Complaint("ledger.unreachable", time.monotonic)
        )
        asked = Endpoints(self._settings.controlplanes, self._settings.cluster_token)
        server = self._server(BudgetClient(asked, Complaint("budget.unreachable", time.monotonic)))
        await server.start(self._address)
        log.info("worker.listening", address=self._address, writer=self._journal.writer, recovered=recovered)
        self._spawn(
            follow_policies(
                endpoints, self._settings.node, self._policies, Complaint("policies.unreachable", time.monotonic)
            )
        )
        self._spawn(shipper.run())
        self._spawn(self._announce())
        try:
            await self._stopped(stop)
        except JournalError:
            await server.stop(0)
            raise
        await self._shut_down(server, shipper, endpoints)
        await asked.close()

    async def _stopped(self, stop: asyncio.Event) -> None:
        asked, failed = asyncio.create_task(stop.wait()), asyncio.create_task(self._journal.failed())
        try:
            await asyncio.wait((asked, failed), return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                # Streams end with this process: what they would say could not be audited.
                log.error("worker.journal_failed", problem=str(failed.result()))
                raise failed.result()
        finally:
            asked.cancel()
            failed.cancel()

    def _server(self, budget: Budget) -> Server:
        methods = {**extproc.methods(self._services(budget)), **self._health.methods}
        token = self._settings.cluster_token
        authorize = functools.partial(cluster.admits, token) if token else None
        return Server(
            methods,
            max_message_bytes=extproc.MAX_MESSAGE_BYTES,
            on_error=_call_failed,
            authorize=authorize,
            ready=self._policies.ready.is_set,
            linger=self._settings.busy_poll_ms / 1e3,
            rehearse=Rehearsal(self._analyzer).step,
        )

    def _services(self, budget: Budget) -> Services:
        limits = Limits(max_response_bytes=self._settings.max_response_bytes)
        return Services(
            new_session=lambda: Session(self._redaction, limits),
            journal=self._audit,
            policies=self._policies,
            now=unix_micros,
            report=_exchange_fault,
            pace=Pace(),
            budget=budget,
        )

    def _redaction(self, policy: Policy, tenant: str) -> Redaction:
        return Redaction(policy, self._analyzer.scan, cache=self._findings, scope=tenant)

    async def _announce(self) -> None:
        await self._policies.ready.wait()
        self._health.serving = True
        log.info("worker.ready", revision=self._policies.revision)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _shut_down(self, server: Server, shipper: Shipper, endpoints: Endpoints) -> None:
        self._health.serving = False
        log.info("worker.draining")
        await server.stop(self._settings.drain_seconds, notice=NOTICE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Exception):  # what is not shipped now is shipped by the next worker on this journal
            await asyncio.wait_for(shipper.flush(), _LAST_SHIPMENT_SECONDS)
        await endpoints.close()
        self._journal.close()
        log.info("worker.stopped")


def recover(journal: Journal, now: int) -> int:
    """Close what a dead predecessor left open; returns how many attempts. Raises JournalError."""
    entries = list(closing_entries((frame.entry for frame in journal.recovered), now))
    for entry in entries:
        journal.append(entry)
    return len(entries)


def _call_failed(where: str, error: BaseException) -> None:
    log.error("rpc.failed", where=where, error=type(error).__name__)


def _exchange_fault(error: Exception, request_id: str) -> None:
    log.error("exchange.fault", request_id=request_id, **fault(error))


def _unusable_policy(name: str, problem: str) -> None:
    log.error("policy.unusable", policy=name, problem=problem)
