"""A chain on local disk: append in microseconds, durable by group fsync, recovered after any crash.

Guarantees: `append` returns after one write(2), so the entry survives the death of the process; after
`durable` it survives a power cut. One process per directory (flock). A failed append leaves nothing behind
and the next one tries again; a failed fsync closes the journal for good, because the kernel may have dropped
what it could not write: `failed` tells, and the process should end so that a new one recovers what is
there. Use from one thread; `durable` and `close` belong to one event loop. Open it after
fork, never before. Limits: entries of at most 1 MiB; whole segments are the unit of deletion.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from kagamichain import directory
from kagamichain.chain import Frame, Head, link_after, prefix
from kagamichain.errors import JournalError
from kagamichain.recovery import recover
from kagamichain.segment import HEADER_BYTES, MAX_ENTRY_BYTES, frames, header, record
from kagamichain.sync import GroupSync

__all__ = ["Journal", "JournalError", "Position"]

_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT


class Position(NamedTuple):
    """Where an entry stands in its chain: what `durable` waits for and a client's stamp shows."""

    seq: int
    link: bytes


class Journal:
    """See the module. Construct with `Journal.open`."""

    def __init__(self, path: Path, name: str, max_segment_bytes: int) -> None:
        self._lock = directory.claim(path)
        try:
            self.writer = directory.writer_name(path, name)
            self._marks = directory.open_watermark(path)
            found = recover(path, self.writer, directory.read_watermark(self._marks))
        except OSError as error:
            os.close(self._lock)
            raise JournalError(f"journal {path}: {error.strerror}; check the disk") from error
        except JournalError:
            os.close(self._lock)
            raise
        self.torn_bytes = found.torn_bytes
        """Bytes of unfinished records cut off when opening; kept in `torn-<seq>.bin`."""
        self.on_append: Callable[[], None] = _nobody
        self._path, self._limit, self._prefix = path, max_segment_bytes, prefix(self.writer)
        self._segments, self._head, self._end = found.segments, found.head, found.end
        self._first_here = found.head.seq + 1
        self._keep_from: int | None = None
        self._broken = ""
        self._failed = asyncio.Event()
        self._cursor = (0, 0, 0)
        self._readers: dict[int, int] = {}
        if self._segments:
            self._fd = os.open(self._segments[-1][1], _APPEND)
        else:
            self._start_segment()
        self._sync = GroupSync(self._fd, self._head.seq, self._note, self._failed.set)

    @classmethod
    def open(cls, directory: Path, name: str, *, max_segment_bytes: int = 64 << 20) -> Journal:
        """Take the directory, verify what it holds and go on with its chain.

        Raises JournalError: directory in use or not writable, or durable entries missing or altered.
        """
        return cls(Path(directory), name, max_segment_bytes)

    @property
    def head(self) -> Head:
        """The last entry appended."""
        return self._head

    @property
    def synced(self) -> int:
        """Sequence number up to which entries are durable."""
        return self._sync.synced

    def append(self, entry: bytes) -> Position:
        """Add an entry; it survives the death of this process.

        Raises JournalError when it could not be written whole.
        """
        if not 0 < len(entry) <= MAX_ENTRY_BYTES:
            raise JournalError(f"journal {self._path}: an entry has 1 to {MAX_ENTRY_BYTES} bytes, not {len(entry)}")
        if self._broken or self._sync.failure:
            raise self._error(self._broken or self._sync.failure)
        seq = self._head.seq + 1
        link = link_after(self._prefix, seq, self._head.link, entry)
        data = record(link, entry)
        if self._end + len(data) > self._limit and self._end > HEADER_BYTES:
            self._rotate()
        self._write(data)
        self._head = Head(seq, link)
        self.on_append()
        return Position(seq, link)

    async def durable(self, seq: int, *, here: bool = False) -> None:
        """Wait until the entry is on the disk; concurrent callers share one fsync.

        `here`: hold up the event loop for it if the disk is quick, because hardly anybody else is there.

        Raises JournalError when it may not be.
        """
        try:
            await self._sync.wait(seq, here=here)
        except OSError as error:
            raise self._error(self._sync.failure) from error

    async def failed(self) -> JournalError:
        """Wait until this process can write nothing here any more; what to tell the operator.

        A disk that is full is no such case: appending works again as soon as there is room.
        """
        await self._failed.wait()
        return self._error(self._broken or self._sync.failure)

    def read(self, after: int, limit: int) -> list[Frame]:
        """At most `limit` frames following sequence number `after`; fewer at the chain's head.

        Raises JournalError when that part of the chain was trimmed or cannot be read.
        """
        result: list[Frame] = []
        while after < self._head.seq and len(result) < limit:
            result += (part := self._read_segment(after, limit - len(result)))
            if not part:
                raise self._error(f"entry {after + 1} is missing; keep the directory for inspection")
            after = part[-1].seq
        return result

    @property
    def recovered(self) -> Iterator[Frame]:
        """Every frame that was on disk when the journal was opened, in order: how a successor finds
        unfinished work.
        """
        after = self._segments[0][0] - 1
        while after < self._first_here - 1:
            for frame in self.read(after, min(512, self._first_here - 1 - after)):
                yield frame
                after = frame.seq

    def keep_from(self, seq: int | None) -> None:
        """Let `trim` spare this entry and all after it: an owner with unfinished work needs them after a
        crash.
        """
        self._keep_from = seq

    def trim(self, acked: int) -> None:
        """Delete whole segments whose entries are stored elsewhere (`acked`), durable here and not kept."""
        limit = min(acked, self._sync.synced, (self._keep_from or acked + 1) - 1)
        while len(self._segments) > 1 and self._segments[1][0] - 1 <= limit:
            first, file = self._segments.pop(0)
            if (fd := self._readers.pop(first, None)) is not None:
                os.close(fd)
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Sync what is left and give the directory free. Idempotent."""
        if self._broken == "closed":
            return
        self._broken = "closed"
        self._sync.close(self._head.seq)
        for fd in (self._fd, self._marks, self._lock, *self._readers.values()):
            os.close(fd)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            raise self._error(f"{error.strerror}; free space or make it writable") from error
        if written < len(data):
            self._undo()
            raise self._error("No space left on device; free space")
        self._end += written
        self._sync.appended = self._head.seq + 1

    def _undo(self) -> None:
        try:
            os.ftruncate(self._fd, self._end)
        except OSError:
            self._broken = "an unfinished record could not be removed; restart the process"
            self._failed.set()

    def _rotate(self) -> None:
        previous = self._fd
        self._start_segment()
        self._sync.moved(previous, self._fd)

    def _start_segment(self) -> None:
        """The header is durable before anything is appended, so that trimming older segments can never lose
        the chain.
        """
        file = directory.segment_file(self._path, self._head.seq + 1)
        try:
            directory.write_whole(file, header(self._head))
            self._fd = os.open(file, _APPEND)
        except OSError as error:
            raise self._error(f"{error.strerror}; free space or make it writable") from error
        self._end = HEADER_BYTES
        self._segments.append((self._head.seq + 1, file))

    def _read_segment(self, after: int, limit: int) -> list[Frame]:
        index = max((i for i, (first, _) in enumerate(self._segments) if first <= after + 1), default=None)
        if index is None:
            raise self._error(f"entry {after + 1} was already stored elsewhere and deleted here")
        first, file = self._segments[index]
        if (fd := self._readers.get(first)) is None:
            fd = self._readers[first] = os.open(file, os.O_RDONLY)
        start = (after, self._cursor[2]) if self._cursor[:2] == (first, after) else (first - 1, HEADER_BYTES)
        result: list[Frame] = []
        for frame, end in frames(lambda size, at: os.pread(fd, size, at), start[1], Head(start[0], b"")):
            if frame.seq > after:
                result.append(frame)
                self._cursor = (first, frame.seq, end)
            if len(result) == limit:
                break
        return result

    def _note(self, seq: int) -> None:
        directory.note_watermark(self._marks, seq)

    def _error(self, problem: str) -> JournalError:
        return JournalError(f"journal {self._path}: {problem}")


def _nobody() -> None:
    """Nobody waits for entries."""
