"""One file of a journal: its bytes, and how far they can be trusted. Pure.

Layout: a header (magic, first sequence number u64be, link before it) and records (entry length u32be, link,
entry). The link doubles as checksum: a record is sound when its link follows from the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct

from kagamichain.chain import LINK_BYTES, Frame, Head, link_after, prefix

MAGIC = b"KGMJRNL1"
MAX_ENTRY_BYTES = 1 << 20
"""Far above any audit entry; bounds what a damaged length can make a reader allocate."""

_HEADER = Struct(f">8sQ{LINK_BYTES}s")
_RECORD = Struct(f">I{LINK_BYTES}s")
HEADER_BYTES = _HEADER.size
RECORD_BYTES = _RECORD.size

Read = Callable[[int, int], bytes]
"""Read(size, offset): like os.pread, shorter only at the end of the file."""


def header(before: Head) -> bytes:
    """The first bytes of a segment whose first entry follows `before`."""
    return _HEADER.pack(MAGIC, before.seq + 1, before.link)


def parse_header(data: bytes) -> Head | None:
    """The head a segment starts after; None when these bytes are no complete header."""
    if len(data) < HEADER_BYTES:
        return None
    magic, first, previous = _HEADER.unpack_from(data)
    return Head(first - 1, previous) if magic == MAGIC and first > 0 else None


def record(link: bytes, entry: bytes) -> bytes:
    """An entry as written to the segment."""
    return _RECORD.pack(len(entry), link) + entry


def frames(read: Read, offset: int, after: Head) -> Iterator[tuple[Frame, int]]:
    """Complete records from `offset` on, unverified, each with the offset behind it; ends at the first
    incomplete one.
    """
    seq = after.seq
    while len(head := read(RECORD_BYTES, offset)) == RECORD_BYTES:
        size, link = _RECORD.unpack(head)
        if not 0 < size <= MAX_ENTRY_BYTES:
            return
        entry = read(size, offset + RECORD_BYTES)
        if len(entry) < size:
            return
        seq += 1
        offset += RECORD_BYTES + size
        yield Frame(seq, link, entry), offset


def sound_end(writer: str, read: Read, after: Head) -> tuple[Head, int]:
    """The last head that verifies in this segment, and the offset behind its record."""
    start = prefix(writer)
    head, end = after, HEADER_BYTES
    for frame, offset in frames(read, HEADER_BYTES, after):
        if frame.link != link_after(start, frame.seq, head.link, frame.entry):
            break
        head, end = Head(frame.seq, frame.link), offset
    return head, end
