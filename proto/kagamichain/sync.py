"""One fsync for everyone who waits: callers that arrive while one runs share the next.

A thread of its own, for a disk may take seconds, and handed to without futures in between: every answer waits for this.
Who has next to nobody beside it may ask for the fsync to be done `here`, in the event loop's thread: that saves the way
to the other one and back, and the loop cannot begin something long meanwhile. Only while the disk is quick: after an
fsync of more than `QUICK_SECONDS` it is not trusted for `DISTRUST_SECONDS`.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import NamedTuple

QUICK_SECONDS = 0.02
DISTRUST_SECONDS = 60.0

_sync_file = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class _Job(NamedTuple):
    """What the thread is to make durable, and whom it tells."""

    loop: asyncio.AbstractEventLoop
    seq: int
    fds: list[int]


class GroupSync:
    """Durability of an append-only file that may move on to new files. One event loop, one helper thread."""

    def __init__(
        self,
        fd: int,
        seq: int,
        note: Callable[[int], None],
        on_failure: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`note`: told what is durable, in the thread that made it so; `on_failure`: told once, in the event loop.

        `now`: seconds.
        """
        self.synced = seq
        self.appended = seq
        self.failure = ""
        """Why nothing can be made durable any more; empty while all is well."""
        self._fd = fd
        self._retired: list[int] = []
        self._note, self._on_failure, self._now = note, on_failure, now
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._busy = False
        self._distrusted_until = 0.0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def moved(self, previous: int, fd: int) -> None:
        """Appends go to another file now; the previous one is synced and closed in its turn."""
        self._retired.append(previous)
        self._fd = fd

    async def wait(self, seq: int, *, here: bool = False) -> None:
        """Return once `seq` is durable; `here`: see the module. Raises OSError when it may not be."""
        if seq > self.synced and here and self._trusted:
            self._try(self.appended, self._take())
            if self.failure:
                self._on_failure()
        if seq <= self.synced:
            return
        if self.failure:
            raise OSError(self.failure)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((seq, future))
        if not self._busy:
            self._begin(loop)
        await future

    def close(self, seq: int) -> None:
        """Sync what is left, in this thread."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        # Never after a sync that failed: the kernel may have dropped what it could not write, and say all is well.
        if not self.failure:
            self._try(seq, self._take())
        self._wake()

    @property
    def _trusted(self) -> bool:
        return not (self._busy or self.failure) and self._now() >= self._distrusted_until

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="journal-fsync", daemon=True)
            self._thread.start()
        self._jobs.put(_Job(loop, self.appended, self._take()))

    def _serve(self) -> None:
        """The helper thread."""
        while (job := self._jobs.get()) is not None:
            if not self.failure:
                self._try(job.seq, job.fds)
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                job.loop.call_soon_threadsafe(self._done, job.loop)

    def _done(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = False
        if self.failure:
            self._on_failure()
        self._wake()
        if self._waiting:
            self._begin(loop)

    def _take(self) -> list[int]:
        fds, self._retired = [*self._retired, self._fd], []
        return fds

    def _try(self, seq: int, fds: list[int]) -> None:
        try:
            self._settle(seq, fds)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may take these entries for durable
            reason = getattr(error, "strerror", None) or type(error).__name__
            self.failure = f"{reason}: entries may be lost; check the disk and restart the process"

    def _settle(self, seq: int, fds: list[int]) -> None:
        start = self._now()
        for fd in fds:
            _sync_file(fd)
        if (end := self._now()) - start > QUICK_SECONDS:
            self._distrusted_until = end + DISTRUST_SECONDS
        for fd in fds[:-1]:
            os.close(fd)
        self.synced = max(self.synced, seq)
        self._note(seq)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for seq, future in waiting:
            if future.done():
                continue
            if seq <= self.synced:
                future.set_result(None)
            elif self.failure:
                future.set_exception(OSError(self.failure))
            else:
                self._waiting.append((seq, future))
