"""ADS over grpc.aio: pumps `Subscription`, one per connected Envoy.

`Xds.run` turns each snapshot into resources, refuses to publish an inconsistent set, and reads secrets again when their
files change. Streams wait until there is something to publish: an Envoy that connects early gets nothing rather than
an empty configuration. A refusal is logged with Envoy's own words and leaves the old configuration in force.

Use: `xds = Xds(gateway, SecretReader(environ)); xds.add_to(server); await xds.run(holder.subscribe())`;
`xds.acknowledged()` says which revision every connected Envoy holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import structlog
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf.any_pb2 import Any as PackedMessage

from controlplane.domain.snapshot import Snapshot
from controlplane.xds.gateway import GatewaySettings
from controlplane.xds.resources import Resources, authorities, build, credentials
from controlplane.xds.secrets import SecretReader
from controlplane.xds.snapshot import inconsistencies
from controlplane.xds.subscription import Push, Request, Subscription

log = structlog.get_logger(__name__)

GRACE_SECONDS = 10.0
"""How long a removed hop stays for requests that were decided just before."""
POLL_SECONDS = 1.0
"""How often secret files are looked at."""
MAX_WAITING_REQUESTS = 64
"""Unhandled requests per stream before its reader waits."""


class Xds(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]
    """The aggregated discovery service and the state it serves."""

    def __init__(self, gateway: GatewaySettings, secrets: SecretReader, *, grace: float = GRACE_SECONDS,
                 poll: float = POLL_SECONDS) -> None:  # fmt: skip
        self._gateway = gateway
        self._secrets = secrets
        self._grace = grace
        self._poll = poll
        self._snapshot: Snapshot | None = None
        self._resources: Resources | None = None
        self._streams: set[_Stream] = set()
        self._publishing = asyncio.Lock()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register on a server."""
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, server)

    def acknowledged(self) -> Mapping[str, str]:
        """Node id of every connected Envoy → revision it acknowledged completely ("" = none yet)."""
        return {stream.node: stream.subscription.acknowledged for stream in self._streams if stream.node}

    async def run(self, snapshots: AsyncIterator[Snapshot]) -> None:
        """Publish every snapshot and every rotation until cancelled or there are no more.

        At the end every stream is ended, so that Envoys go to another replica at once and a stop need not wait.
        """
        watcher = asyncio.create_task(self._watch_secrets())
        try:
            async for snapshot in snapshots:
                await self.publish(snapshot)
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
            for stream in self._streams:
                stream.end()

    async def publish(self, snapshot: Snapshot) -> None:
        """Build and hand to every stream. What cannot be built is logged and not published; the last stays in force."""
        async with self._publishing:
            self._snapshot = snapshot
            await self._build_and_publish(snapshot)

    async def _build_and_publish(self, snapshot: Snapshot) -> None:
        values, problems = await asyncio.to_thread(self._secrets.read, credentials(snapshot), authorities(snapshot))
        for problem in problems:
            log.warning("xds.secret_unusable", problem=problem, revision=snapshot.revision)
        try:
            resources = build(snapshot, self._gateway, values)
        except (ValueError, TypeError, KeyError):
            log.exception("xds.unbuildable", revision=snapshot.revision)
            return
        if missing := inconsistencies(resources):
            log.error("xds.inconsistent", missing=missing, revision=snapshot.revision)
            return
        self._resources = resources
        for stream in self._streams:
            stream.publish(resources)
        log.info(
            "xds.published", revision=snapshot.revision, providers=len(snapshot.providers), envoys=len(self._streams)
        )

    async def StreamAggregatedResources(self, requests: AsyncIterator[Any], context: Any) -> None:  # noqa: N802
        """One Envoy, until it disconnects."""
        stream = _Stream(context, self._grace)
        self._streams.add(stream)
        if self._resources is not None:
            stream.publish(self._resources)
        try:
            await stream.run(requests)
        finally:
            self._streams.discard(stream)
            stream.close()
            log.info("xds.disconnected", node=stream.node)

    async def _watch_secrets(self) -> None:
        while True:
            await asyncio.sleep(self._poll)
            async with self._publishing:
                if self._snapshot is not None and await asyncio.to_thread(self._secrets.changed):
                    log.info("xds.secrets_changed", revision=self._snapshot.revision)
                    await self._build_and_publish(self._snapshot)


class _Stream:
    """One connected Envoy: requests, publications and the end of a grace period are handled in order, one at a time."""

    def __init__(self, context: Any, grace: float) -> None:
        self.node = ""
        self.subscription = Subscription()
        self._context = context
        self._grace = grace
        self._events: asyncio.Queue[Request | _Event] = asyncio.Queue()
        self._room = asyncio.Semaphore(MAX_WAITING_REQUESTS)
        self._latest: Resources | None = None
        self._timer: asyncio.TimerHandle | None = None

    def publish(self, resources: Resources) -> None:
        """Let this Envoy have a configuration; it replaces one that was not sent yet."""
        self._latest = resources
        self._events.put_nowait(_Event.PUBLISHED)

    def end(self) -> None:
        """Let `run` return."""
        self._events.put_nowait(_Event.ENDED)

    def close(self) -> None:
        """Forget the grace period."""
        if self._timer is not None:
            self._timer.cancel()

    async def run(self, requests: AsyncIterator[Any]) -> None:
        """Answer until Envoy ends the stream."""
        reader = asyncio.create_task(self._read(requests))
        try:
            while (event := await self._events.get()) is not _Event.ENDED:
                for push in self._handle(event):
                    await self._context.write(_response(push))
                self._watch_grace()
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[Any]) -> None:
        try:
            async for message in requests:
                await self._room.acquire()
                self.node = message.node.id or self.node
                self._events.put_nowait(_request(message))
        finally:
            self.end()

    def _handle(self, event: Request | _Event) -> tuple[Push, ...]:
        if isinstance(event, Request):
            self._room.release()
            if event.error:
                log.error("xds.refused", node=self.node, type=event.type_url, error=event.error)
            return self.subscription.receive(event)
        if event is _Event.GRACE_OVER:
            return self.subscription.release()
        self.close()
        self._timer = None
        return self.subscription.publish(self._latest) if self._latest is not None else ()

    def _watch_grace(self) -> None:
        if self._timer is None and self.subscription.draining:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._grace, self._events.put_nowait, _Event.GRACE_OVER)


class _Event(enum.Enum):
    PUBLISHED = enum.auto()
    GRACE_OVER = enum.auto()
    ENDED = enum.auto()


def _request(message: Any) -> Request:
    return Request(
        type_url=message.type_url,
        version=message.version_info,
        nonce=message.response_nonce,
        names=frozenset(message.resource_names),
        error=message.error_detail.message if message.HasField("error_detail") else "",
    )


def _response(push: Push) -> Any:
    packed = [PackedMessage(type_url=item.type_url, value=item.value) for item in push.resources]
    return discovery_pb2.DiscoveryResponse(
        version_info=push.version, type_url=push.type_url, nonce=push.nonce, resources=packed
    )
