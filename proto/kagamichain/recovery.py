"""What a journal's directory holds when a process opens it: the sound chain, a torn end cut off, anything
else refused.

A crash can tear only what was never fsynced. So a record that does not verify is cut off (its bytes kept
beside it) when it lies behind the noted watermark, and is proof of tampering or of a broken disk when it
lies before it.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import NamedTuple

from kagamichain import directory
from kagamichain.chain import START, Head
from kagamichain.errors import JournalError
from kagamichain.segment import HEADER_BYTES, Read, parse_header, sound_end


class Recovered(NamedTuple):
    """Segments by first sequence number, the chain's head, where the last segment ends, and how much was cut
    off it.
    """

    segments: list[tuple[int, Path]]
    head: Head
    end: int
    torn_bytes: int


def recover(path: Path, writer: str, synced: int) -> Recovered:
    """Verify every segment and cut a torn end off the last; all that is left is durable then.

    Raises JournalError when entries that were durable are damaged or missing.
    """
    files = directory.segments(path)
    if files and files[-1][1].stat().st_size < HEADER_BYTES:
        files.pop()[1].unlink()  # its creation was interrupted; nothing was ever appended to it
    head, end, torn = START, 0, 0
    for index, (first, file) in enumerate(files):
        data = _synced_bytes(file)
        before = parse_header(data[:HEADER_BYTES])
        if before is None or before.seq + 1 != first or (index and before != head):
            raise _damaged(path, head.seq + 1 if index else first)
        head, end = sound_end(writer, _reader(data), before)
        torn = len(data) - end
        if torn and (index + 1 < len(files) or head.seq < synced):
            raise _damaged(path, head.seq + 1)
    if head.seq < synced:
        raise _damaged(path, head.seq + 1)
    if torn:
        _cut(path, files[-1][1], head.seq + 1, end)
    return Recovered(files, head, end, torn)


def _synced_bytes(file: Path) -> mmap.mmap:
    """The file's bytes, and on the disk itself: a dead predecessor may have left them in the page cache
    only.
    """
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _reader(data: mmap.mmap) -> Read:
    return lambda size, offset: data[offset : offset + size]


def _cut(path: Path, file: Path, seq: int, end: int) -> None:
    fd = os.open(file, os.O_RDWR)
    try:
        tail = os.pread(fd, os.fstat(fd).st_size - end, end)
        directory.write_whole(path / f"torn-{seq}.bin", tail)
        os.ftruncate(fd, end)
        os.fsync(fd)
    finally:
        os.close(fd)


def _damaged(path: Path, seq: int) -> JournalError:
    return JournalError(
        f"journal {path}: entry {seq} was stored durably and is now missing or altered; "
        "keep the directory for inspection, move it elsewhere and start again with a new one"
    )
