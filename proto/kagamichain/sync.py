"""One fsync for everyone who waits: callers that arrive while one runs share the next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_sync_file = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class GroupSync:
    """Durability of an append-only file that may move on to new files. One event loop, one helper thread."""

    def __init__(self, fd: int, seq: int, note: Callable[[int], None], on_failure: Callable[[], None]) -> None:
        """`note`: told what is durable, in the helper thread; `on_failure`: told once, in the event loop."""
        self.synced = seq
        self.appended = seq
        self.failure = ""
        """Why nothing can be made durable any more; empty while all is well."""
        self._fd = fd
        self._retired: list[int] = []
        self._note, self._on_failure = note, on_failure
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-fsync")

    def moved(self, previous: int, fd: int) -> None:
        """Appends go to another file now; the previous one is synced and closed in its turn."""
        self._retired.append(previous)
        self._fd = fd

    async def wait(self, seq: int) -> None:
        """Return once `seq` is durable. Raises OSError when it may not be."""
        if seq <= self.synced:
            return
        if self.failure:
            raise OSError(self.failure)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((seq, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run(loop))
        await future

    def close(self, seq: int) -> None:
        """Sync what is left, in this thread."""
        self._thread.shutdown()
        if not self.failure:
            try:
                self._settle(seq, self._take())
            except OSError as error:
                self.failure = str(error)
        self._wake()

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting and not self.failure:
            seq, fds = self.appended, self._take()
            try:
                await loop.run_in_executor(self._thread, self._settle, seq, fds)
            except OSError as error:
                self.failure = f"{error.strerror}: entries may be lost; check the disk and restart the process"
                self._on_failure()
            except RuntimeError:  # closed while waiting: close() syncs and wakes
                return
            self._wake()

    def _take(self) -> list[int]:
        fds, self._retired = [*self._retired, self._fd], []
        return fds

    def _settle(self, seq: int, fds: list[int]) -> None:
        for fd in fds:
            _sync_file(fd)
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
