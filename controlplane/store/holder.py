"""The newest snapshot, where every part of the control plane finds it.

`current` is a plain attribute: reading it costs nothing and never waits. Subscribers get the newest
snapshot first and then every change; a slow one skips what was superseded meanwhile. Observers are called
with each snapshot before anyone can see it. For one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from controlplane.domain.snapshot import Snapshot


class SnapshotHolder:
    """Holds the newest snapshot; None until the first one was loaded."""

    def __init__(self, current: Snapshot | None = None) -> None:
        self.current = current
        self._changed = asyncio.Event()
        self._closed = False
        self._observers: list[Callable[[Snapshot], None]] = []

    def publish(self, snapshot: Snapshot) -> None:
        """Makes `snapshot` the current one and wakes subscribers; no effect when it already is."""
        if snapshot is self.current:
            return
        for observer in self._observers:
            observer(snapshot)
        self.current = snapshot
        self._wake()

    def observe(self, observer: Callable[[Snapshot], None]) -> None:
        """Has `observer` called with every snapshot, none left out; at once with the current one if there
        is one.
        """
        if self.current is not None:
            observer(self.current)
        self._observers.append(observer)

    async def subscribe(self) -> AsyncIterator[Snapshot]:
        """Snapshots as they come, newest first; waits for the first one; ends after `close`."""
        seen: Snapshot | None = None
        while not self._closed:
            changed = self._changed
            if self.current is not None and self.current is not seen:
                seen = self.current
                yield seen
            else:
                await changed.wait()

    def close(self) -> None:
        """Ends all subscriptions, so that the streams they feed can end in good order."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
