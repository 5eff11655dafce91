"""The policy feed: each data plane's stream gets the whole set first, then again whenever a policy changed.

The feed notes every published snapshot itself, also while nobody watches, so that a version that was
current for a moment only is known to whoever connects next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import structlog
from kagamipb.policy.v1.policy_pb2 import PolicySnapshot, WatchRequest
from kagamipb.policy.v1.policy_pb2_grpc import PolicyFeedServicer, add_PolicyFeedServicer_to_server

from controlplane.domain.snapshot import Snapshot
from controlplane.feed.history import History
from controlplane.store.holder import SnapshotHolder

log = structlog.get_logger()


class PolicyFeed(PolicyFeedServicer):
    """Serves `kagamipb.policy.v1.PolicyFeed`; `clock` gives monotonic seconds."""

    def __init__(self, snapshots: SnapshotHolder, clock: Callable[[], float]) -> None:
        self._snapshots = snapshots
        self._clock = clock
        self._history = History()
        snapshots.observe(self._note)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serves the feed on `server`."""
        add_PolicyFeedServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Watch(self, request: WatchRequest, _context: Any) -> AsyncIterator[PolicySnapshot]:  # noqa: N802
        """The current set, then one message per change; ends when the server does."""
        log.info("feed.connected", node=request.node)
        sent = None
        async for snapshot in self._snapshots.subscribe():
            if snapshot.policies is not sent:
                sent = snapshot.policies
                yield self._history.snapshot(self._clock())
        log.info("feed.ended", node=request.node)

    def _note(self, snapshot: Snapshot) -> None:
        self._history.observe(snapshot.policies, snapshot.revision, self._clock())
