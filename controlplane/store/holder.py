"""The newest snapshot, where every part of the control plane finds it.

`current` is a plain attribute: reading it costs nothing and never waits. Subscribers get the newest
snapshot first and then every change; a slow one skips what was superseded meanwhile. For one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from controlplane.domain.snapshot import Snapshot


class SnapshotHolder:
    """Holds the newest snapshot; None until the first one was loaded."""

    def __init__(self, current: Snapshot | None = None) -> None:
        self.current = current
        self._changed = asyncio.Event()

    def publish(self, snapshot: Snapshot) -> None:
        """Makes `snapshot` the current one and wakes subscribers; no effect when it already is."""
        if snapshot is self.current:
            return
        self.current = snapshot
        self._changed.set()
        self._changed = asyncio.Event()

    async def subscribe(self) -> AsyncIterator[Snapshot]:
        """Snapshots as they come, newest first; waits for the first one; ends with the task that
        iterates.
        """
        seen: Snapshot | None = None
        while True:
            changed = self._changed
            if self.current is not None and self.current is not seen:
                seen = self.current
                yield seen
            else:
                await changed.wait()
