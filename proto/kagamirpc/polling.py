"""Waiting awake: an event loop that, while calls come, asks for the next one again and again instead of sleeping.

A loop that sleeps leaves its core to others, and wakes up late; on shared machines that is a good part of what a call
costs when few come. Polling keeps one core busy until `linger` seconds after a call began; a server that nobody calls
sleeps as ever. (HAProxy has the like as `busy-polling`.)
A core that waits loses what its caches hold to whoever shares them, and the next call pays for it. So the loop may be
given something to `rehearse`, in short steps, while nothing else is to be done: a call comes at most one step late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

QUIET_SECONDS = 0.001
"""Nothing is rehearsed before the loop had so long nothing to do."""
# A turn of the loop that took longer did something for somebody.
_TURN_SECONDS = 0.000_05


class Polling:
    """Of one event loop. Use from its thread."""

    def __init__(
        self,
        linger: float,
        rehearse: Callable[[], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`linger`: seconds; 0 is no polling at all. `rehearse` runs one step; if it raises, it is told and left."""
        self._linger = linger
        self._rehearse, self._on_error, self._now = rehearse, on_error, now
        self._until = 0.0
        self._left = self._quiet_since = 0.0
        self._handle: asyncio.Handle | None = None

    @property
    def awake(self) -> bool:
        """Whether the loop polls now."""
        return self._handle is not None

    def touch(self) -> None:
        """A call began."""
        if not self._linger:
            return
        loop = asyncio.get_running_loop()
        self._until = loop.time() + self._linger
        if self._handle is None:
            self._handle = loop.call_soon(self._again, loop)

    def stop(self) -> None:
        """Sleep from now on, until the next call begins."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _again(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop.time() >= self._until:
            self._handle = None
            return
        # A callback that is due keeps the loop from blocking in the kernel.
        self._handle = loop.call_soon(self._again, loop)
        if self._rehearse is not None:
            self._step(self._rehearse)

    def _step(self, rehearse: Callable[[], None]) -> None:
        now = self._now()
        if now - self._left > _TURN_SECONDS:
            self._quiet_since = now
        elif now - self._quiet_since >= QUIET_SECONDS:
            try:
                rehearse()
            except Exception as error:  # noqa: BLE001 - whatever it is, calls are served without rehearsals as well
                self._rehearse = None
                if self._on_error is not None:
                    self._on_error(error)
        self._left = self._now()
