"""The hash chain of an audit journal: how one entry is bound to all before it.

Strategy: every journal ("writer") is a chain of its own. The link of an entry covers the writer's name, the
entry's sequence number, the previous link and the entry's bytes, with fixed-width lengths so that no two
inputs share an encoding. Altering, dropping, inserting or reordering an entry, or moving it to another
writer, changes every later link. Limits: a chain alone cannot show that its newest entries were cut off;
compare the head with one noted elsewhere (the ledger, or the stamp at the end of a client's stream).
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import NamedTuple

LINK_BYTES = 32
GENESIS = bytes(LINK_BYTES)
"""The link before the first entry."""

_DOMAIN = b"kagami-audit-v1\0"
_U16 = Struct(">H")
_U64 = Struct(">Q")


class Head(NamedTuple):
    """Where a chain stands: its last sequence number (0 = empty) and that entry's link."""

    seq: int
    link: bytes


class Frame(NamedTuple):
    """One entry as stored and shipped. The first frame of a chain has seq 1."""

    seq: int
    link: bytes
    entry: bytes


START = Head(0, GENESIS)


def prefix(writer: str) -> bytes:
    """What every link of a writer begins with; computed once by those who link many entries."""
    name = writer.encode()
    return _DOMAIN + _U16.pack(len(name)) + name


def link_after(start: bytes, seq: int, previous: bytes, entry: bytes) -> bytes:
    """`link` with the writer's `prefix` already at hand."""
    return sha256(b"".join((start, _U64.pack(seq), previous, entry))).digest()


def link(writer: str, seq: int, previous: bytes, entry: bytes) -> bytes:
    r"""SHA-256("kagami-audit-v1\0" || u16be(len(writer)) || writer || u64be(seq) || previous || entry), 32
    bytes.
    """
    return link_after(prefix(writer), seq, previous, entry)
