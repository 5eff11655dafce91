"""Long work beside short: one slice at a time, then a moment for everybody else.

Scanning a long prompt takes seconds of a core that a hundred streams share. A slice runs for `SLICE_SECONDS` or one
step, whichever is longer; then the loop is left alone for a third of that time (at most `PAUSE_SECONDS`), or for an
instant when no other stream is there. Slices of several long scans never follow each other without such a pause,
so another stream waits for one step of one scan at most, however many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

SLICE_SECONDS = 0.005
PAUSE_SECONDS = 0.005
_INSTANT = 0.0005
FEW_STREAMS = 4


class Pace:
    """Shared by all streams of a process."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self.streams = 0
        """Streams that are open now."""

    @property
    def few(self) -> bool:
        """Whether so few streams are open that an answer's delay matters more than the processor's use."""
        return self.streams <= FEW_STREAMS

    async def slice(self, steps: Generator[None, None, Any]) -> None:
        """Run one slice of `steps`. Raises what it raises; Finished at its end."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            start = loop.time()
            while (taken := loop.time() - start) < SLICE_SECONDS:
                try:
                    next(steps)
                except StopIteration as done:
                    raise Finished(done.value) from None
            await asyncio.sleep(_INSTANT if self.streams <= 1 else min(taken / 3, PAUSE_SECONDS))


class Finished(Exception):  # noqa: N818 -- StopIteration, which cannot leave a coroutine
    """The work is done; `value` is its result."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value
