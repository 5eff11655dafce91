"""Waiting awake: an event loop that, while calls come, asks for the next one again and again instead of sleeping.

A loop that sleeps leaves its core to others, and wakes up late and with cold caches; on shared machines that is a good
part of what a call costs when few come. Polling keeps one core busy until `linger` seconds after a call began; a server
that nobody calls sleeps as ever. (HAProxy has the like as `busy-polling`.)
"""

from __future__ import annotations

import asyncio


class Polling:
    """Of one event loop. Use from its thread."""

    def __init__(self, linger: float) -> None:
        """`linger`: seconds; 0 is no polling at all."""
        self._linger = linger
        self._until = 0.0
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
        # A callback that is due keeps the loop from blocking in the kernel.
        self._handle = loop.call_soon(self._again, loop) if loop.time() < self._until else None
