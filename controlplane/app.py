"""Builds this plane out of its parts and runs it until told to stop: the only place that knows them all.

Start: the journal is taken first (its lock keeps a second process of the same replica out), then the server
listens, and health says SERVING once a configuration is loaded. A part that fails for good ends the
process, to be started anew; parts that lost the database wait for it themselves.

Stop: health says NOT_SERVING and Envoy, which is answered until it has seen that, goes elsewhere; calls under way get
`GRACE_SECONDS`, the journal is shipped as far as the database takes it, leases go back.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import time
from collections.abc import Coroutine, Iterator
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from kagamichain.journal import Journal
from kagamichain.shipper import Shipper
from kagamipb.admin.v1 import admin_pb2
from kagamirpc import token as cluster
from kagamirpc.health import Health
from kagamirpc.server import NOTICE_SECONDS, Server
from sqlalchemy.exc import SQLAlchemyError

from controlplane.admin.servicer import Admin, Administration
from controlplane.authz import servicer as authz
from controlplane.domain import keys
from controlplane.domain.forecast import Forecast
from controlplane.domain.snapshot import Snapshot
from controlplane.domain.webhooks import WebhookError
from controlplane.feed.servicer import PolicyFeed
from controlplane.guard import Guard
from controlplane.ledger.alerts import Alerts, Destination
from controlplane.ledger.growth import QuotaServicer
from controlplane.ledger.queries import Queries
from controlplane.ledger.quota_gate import LeasedQuotaGate
from controlplane.ledger.receiver import Receiver
from controlplane.ledger.servicer import LedgerServicer
from controlplane.ledger.sweeper import Sweeper
from controlplane.settings import Settings
from controlplane.store.holder import SnapshotHolder
from controlplane.store.listen import Refresher
from controlplane.store.postgres import create_engine
from controlplane.store.quota import QuotaStore
from controlplane.xds.secrets import SecretError, SecretReader
from controlplane.xds.servicer import Xds

GRACE_SECONDS: Final = 3.0
_FLUSH_SECONDS: Final = 3.0
_PRIVATE: Final = 0o177
_OVERHEAD_BYTES: Final = 1 << 20
_LEAST_MESSAGE_BYTES: Final = 64 << 20

log = structlog.get_logger()


class ControlPlane:
    """Every part of one replica, joined. Make it inside the event loop that will run it."""

    def __init__(self, settings: Settings, journal: Journal, environment: dict[str, str]) -> None:
        self.settings = settings
        self.journal = journal
        self.snapshots = SnapshotHolder()
        self.engine = create_engine(settings.database_url)
        store, forecast = QuotaStore(self.engine), Forecast()
        self.receiver = Receiver(self.engine, forecast, zones=self._zone)
        self.refresher = Refresher(settings.database_url, self.engine, self.snapshots, random.random)
        self.quotas = LeasedQuotaGate(store, self._snapshot, journal.writer)
        self.shipper = Shipper(journal, self.receiver.send, on_error=_shipping_failed)
        self.sweeper = Sweeper(self.engine, store, journal, wall=time.time, monotonic=time.monotonic, zones=self._zone)
        secrets = SecretReader(environment)
        self.alerts = Alerts(
            self.engine,
            journal,
            lambda tenant: _destination(self._snapshot(), secrets, tenant),
            wall=time.time,
            chance=random.random,
        )
        self.xds = Xds(settings.gateway, secrets)
        self.feed = PolicyFeed(self.snapshots, time.monotonic)
        self.ledger = LedgerServicer(self.receiver)
        self.growth = QuotaServicer(self.quotas, journal, clock=_unix_micros, random=os.urandom)
        self.health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self.authz_health = Health()
        self.authorizer = authz.Authorizer(
            self.snapshots,
            self.quotas,
            forecast,
            journal,
            digest=functools.partial(keys.digest, settings.pepper),
            max_request_bytes=settings.gateway.max_request_bytes,
            clock=_unix_micros,
            random=os.urandom,
        )
        self.admin = Admin(
            Administration(
                node=settings.node,
                engine=self.engine,
                snapshots=self.snapshots,
                queries=Queries(self.engine, store, self._snapshot),
                envoys=self.xds.acknowledged,
                loaded=lambda: self.refresher.loaded,
                random=os.urandom,
                pepper=settings.pepper,
                token=settings.admin_token,
            )
        )

    async def serve(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set. Raises what a part raised that could not go on, or OSError (address in
        use).
        """
        await self.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        server, checks = self._server(), self._checks()
        with _private_files():
            _listen(server, self.settings.listen)
            await checks.start(self.settings.authz_listen)
        await server.start()
        log.info("controlplane.listening", node=self.settings.node, address=self.settings.listen)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(part) for part in self._parts()]
                await stop.wait()
                await self._drain(server, checks)
                for task in running:
                    task.cancel()
        finally:
            await checks.stop(0)
            await server.stop(None)
            await self._close()

    def _parts(self) -> list[Coroutine[object, object, None]]:
        return [
            self.refresher.run(),
            self.quotas.run(),
            self.receiver.run(),
            self.shipper.run(),
            self.sweeper.run(),
            self.alerts.run(),
            self.xds.run(self.snapshots.subscribe()),
            self._announce_ready(),
            self._retire_predecessors(),
            self._end_without_journal(),
        ]

    def _server(self) -> grpc.aio.Server:
        most = max(_LEAST_MESSAGE_BYTES, self.settings.gateway.max_request_bytes + _OVERHEAD_BYTES)
        token = self.settings.cluster_token
        server = grpc.aio.server(
            interceptors=[Guard(token)] if token else [],
            options=[
                ("grpc.max_receive_message_length", most),
                ("grpc.max_send_message_length", most),
                # Two processes on one address would share its connections unevenly and unseen.
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
            ],
        )
        for part in (self.admin, self.feed, self.ledger, self.growth, self.xds):
            part.add_to(server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, server)
        services = (admin_pb2.DESCRIPTOR.services_by_name["Admin"].full_name, reflection.SERVICE_NAME)
        reflection.enable_server_reflection((*services, health.SERVICE_NAME), server)
        return server

    def _checks(self) -> Server:
        """Envoy's checks have a transport of their own: they are the only calls a client's request waits
        for. Without a configuration yet nothing can be decided here, and by another replica perhaps.
        """
        methods = {**authz.methods(self.authorizer), **self.authz_health.methods}
        most = self.settings.gateway.max_request_bytes + _OVERHEAD_BYTES
        token = self.settings.cluster_token
        authorize = functools.partial(cluster.admits, token) if token else None
        linger = self.settings.busy_poll_ms / 1e3
        return Server(
            methods,
            max_message_bytes=most,
            on_error=_check_failed,
            authorize=authorize,
            ready=lambda: self._snapshot() is not None,
            linger=linger,
        )

    async def _announce_ready(self) -> None:
        async for _ in self.snapshots.subscribe():
            self.authz_health.serving = True
            await self.health.set("", health_pb2.HealthCheckResponse.SERVING)
            log.info("controlplane.ready", node=self.settings.node)
            return

    async def _retire_predecessors(self) -> None:
        """What an earlier process of this replica had leased goes back once its whole journal is
        settled.
        """
        inherited = self.journal.head.seq
        while self.shipper.acked < inherited:  # noqa: ASYNC110 - once, for a moment, at the start
            await asyncio.sleep(0.1)
        while True:
            try:
                return await self.quotas.retire_predecessors()
            except (SQLAlchemyError, OSError) as error:
                log.warning("quota.predecessor_not_retired", reason=type(error).__name__)
                await asyncio.sleep(1.0)

    async def _end_without_journal(self) -> None:
        """Nothing may pass unaudited: a new process, which recovers the journal, serves better than this one."""
        error = await self.journal.failed()
        log.error("controlplane.journal_failed", reason=str(error))
        raise error

    async def _drain(self, server: grpc.aio.Server, checks: Server) -> None:
        log.info("controlplane.stopping", node=self.settings.node)
        self.authz_health.serving = False
        await self.health.enter_graceful_shutdown()
        # Ends the policy streams; checks under way finish.
        self.snapshots.close()
        await asyncio.gather(server.stop(GRACE_SECONDS), checks.stop(GRACE_SECONDS, notice=NOTICE_SECONDS))

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self.shipper.flush()
        except Exception as error:  # noqa: BLE001 - the journal keeps what could not be shipped
            log.warning("controlplane.journal_not_shipped", reason=type(error).__name__)
        await self.quotas.close()
        await self.engine.dispose()

    def _snapshot(self) -> Snapshot | None:
        return self.snapshots.current

    def _zone(self, tenant: str) -> str:
        current = self.snapshots.current
        known = current.tenants.get(tenant) if current else None
        return known.time_zone if known else "UTC"


def _destination(snapshot: Snapshot | None, secrets: SecretReader, name: str) -> Destination | None:
    """Where a tenant's alerts go."""
    tenant = snapshot.tenants.get(name) if snapshot else None
    if tenant is None or not tenant.webhook_url:
        return None
    try:
        return Destination(tenant.webhook_url, secrets.resolve(tenant.webhook_secret))
    except SecretError as error:
        raise WebhookError(str(error)) from None


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    """Unix sockets made inside are for this user alone, because whoever reaches them may administer."""
    before = os.umask(_PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


def _listen(server: grpc.aio.Server, address: str) -> None:
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: in use, or not allowed") from error


def _unix_micros() -> int:
    return time.time_ns() // 1000


def _check_failed(where: str, error: BaseException) -> None:
    log.error("authz.transport", where=where, error=type(error).__name__)


def _shipping_failed(error: Exception) -> None:
    log.warning("ledger.own_journal_waits", reason=type(error).__name__)
