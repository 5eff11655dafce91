"""A journal's directory: who owns it, whose chain it holds, and how far that chain is on disk for certain.

Files: `lock` (held with flock by the one process that may write), `writer` (the chain's name, made once),
`synced` (the last sequence number known to be on the disk itself), `<first seq>.seg` (the segments) and
`torn-<seq>.bin` (bytes cut off the end after a crash, kept for inspection).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from pathlib import Path
from struct import Struct

from kagamichain.errors import JournalError

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_WATERMARK = Struct(">Q")


def claim(path: Path) -> int:
    """Make the directory (mode 0700) and take its lock; the descriptor holds it.

    Raises JournalError when another has it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"journal {path}: {error.strerror}; make the directory writable") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise JournalError(
            f"journal {path}: in use by process {holder}; stop it or give this one a directory of its own"
        ) from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def writer_name(path: Path, name: str) -> str:
    """The chain's name: `name` and a random suffix: made once, the same ever after."""
    if not _NAME.fullmatch(name):
        raise JournalError(f"journal name {name!r}: use lower-case letters, digits, dots and dashes, at most 63")
    file = path / "writer"
    if file.exists():
        return file.read_text().strip()
    writer = f"{name}-{secrets.token_hex(4)}"
    write_whole(file, writer.encode())
    return writer


def write_whole(file: Path, data: bytes) -> None:
    """Make a file that exists either not at all or with exactly these bytes, also after a power cut."""
    temporary = file.with_suffix(".new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if os.write(fd, data) < len(data):
            raise OSError(28, "No space left on device")
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.rename(file)
    sync_directory(file.parent)


def sync_directory(path: Path) -> None:
    """Make file names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def open_watermark(path: Path) -> int:
    """Descriptor of the file that notes how far the chain is synced."""
    return os.open(path / "synced", os.O_RDWR | os.O_CREAT, 0o600)


def read_watermark(fd: int) -> int:
    """Last sequence number that was fsynced; 0 when none was."""
    data = os.pread(fd, _WATERMARK.size, 0)
    return int(_WATERMARK.unpack(data)[0]) if len(data) == _WATERMARK.size else 0


def note_watermark(fd: int, seq: int) -> None:
    """Note it, if the disk takes it, and without fsync: a stale value only makes recovery more lenient, never wrong."""
    with contextlib.suppress(OSError):
        os.pwrite(fd, _WATERMARK.pack(seq), 0)


def segments(path: Path) -> list[tuple[int, Path]]:
    """Segment files by the sequence number they start with, ascending."""
    return sorted((int(file.stem), file) for file in path.glob("*.seg"))


def segment_file(path: Path, first: int) -> Path:
    """Name of the segment whose first entry has this sequence number."""
    return path / f"{first:020d}.seg"
