"""Moves a journal to the ledger: in batches, in order, each entry until it is acknowledged.

Guarantees: only durable entries are shipped, so the ledger never knows more than a journal does after a
power cut; after any failure the receiver is asked where to continue, so nothing is lost and a repeated batch
does no harm; acknowledged segments are deleted. Waits between failures grow to `max_wait` with full jitter
and never end.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from kagamichain.chain import Frame
from kagamichain.errors import JournalError
from kagamichain.journal import Journal

Send = Callable[[str, Sequence[Frame]], Awaitable[int]]
"""Send(writer, frames) -> last sequence number stored durably.

No frames: only asks. Raises on any failure.
"""

FIRST_WAIT = 0.1


class Shipper:
    """One journal's way to the ledger. Run it as one task; cancel the task to stop."""

    def __init__(
        self,
        journal: Journal,
        send: Send,
        *,
        batch: int = 256,
        batch_bytes: int = 2 << 20,
        linger: float = 0.02,
        interval: float = 0.25,
        max_wait: float = 2.0,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """`batch`, `batch_bytes`: most entries, and bytes beyond the first, of one batch; `linger`: seconds
        to gather entries before a batch, `interval`: least seconds from batch to batch, for fewer and larger
        transactions spare the ledger; `on_error`: told of every failure before the wait.
        """
        self._journal, self._send = journal, send
        self._batch, self._batch_bytes, self._max_wait = batch, batch_bytes, max_wait
        self._linger, self._interval, self._shipped_at = linger, interval, 0.0
        self._on_error = on_error
        self._wake = asyncio.Event()
        self.acked = 0
        """Last sequence number the ledger confirmed."""
        self.failures = 0
        """Failures since the last success; 0 = healthy."""

    def wake(self) -> None:
        """There is something to ship.

        Called by the journal on each append; from the event loop's thread only.
        """
        self._wake.set()

    async def run(self) -> None:
        """Ship for ever."""
        self._journal.on_append = self.wake
        while True:
            try:
                await self._resume()
                while True:
                    await self._ship()
                    await self._idle()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  the ledger may fail in any way; the journal keeps the entries
                await self._back_off(error)

    async def flush(self) -> None:
        """Ship what the journal holds now, once; raises what `send` raises.

        For an orderly shutdown after `run` was cancelled.
        """
        await self._resume()
        await self._ship()

    async def _resume(self) -> None:
        self._confirm(await self._send(self._journal.writer, ()))

    async def _ship(self) -> None:
        # What comes meanwhile waits for the next time: under load there is always more.
        last = self._journal.head.seq
        while self.acked < last:
            await self._journal.durable(last)
            frames = self._journal.read(self.acked, min(self._batch, last - self.acked))
            self._confirm(await self._send(self._journal.writer, self._bounded(frames)))
        self._shipped_at = asyncio.get_running_loop().time()

    def _bounded(self, frames: list[Frame]) -> list[Frame]:
        size = 0
        for index, frame in enumerate(frames):
            size += len(frame.entry)
            if index and size > self._batch_bytes:
                return frames[:index]
        return frames

    def _confirm(self, acked: int) -> None:
        if acked > self._journal.head.seq:
            raise JournalError(
                f"journal of {self._journal.writer}: the ledger holds entry {acked}, the journal ends at"
                f" {self._journal.head.seq}; entries were removed here: keep the directory, use a new one"
            )
        self.acked = acked
        self.failures = 0
        self._journal.trim(acked)

    async def _idle(self) -> None:
        self._wake.clear()
        if self._journal.head.seq <= self.acked:
            await self._wake.wait()
        since = asyncio.get_running_loop().time() - self._shipped_at
        await asyncio.sleep(max(self._linger, self._interval - since))

    async def _back_off(self, error: Exception) -> None:
        self.failures += 1
        if self._on_error is not None:
            self._on_error(error)
        longest = min(self._max_wait, FIRST_WAIT * 2.0 ** min(self.failures, 20))
        await asyncio.sleep(random.uniform(FIRST_WAIT / 2, longest))  # noqa: S311  spreads retries, guards nothing
