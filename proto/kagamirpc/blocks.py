"""Header blocks that mean the same whenever they come: what may be looked up instead of decoded.

A block that neither adds to HPACK's dynamic table nor resizes it means the same until some other block does. Envoy's
are such from the second call of a connection on: it sends most fields by index, `:path` without indexing and
`authorization` as never to be indexed.
Source: RFC 7541 sections 5.1 (integers), 5.2 (strings) and 6 (representations).
"""

from __future__ import annotations

from hpack import Decoder
from hpack.exceptions import HPACKError

from kagamirpc.events import ProtocolError

MAX_HEADER_BLOCK = 65_536
MAX_CACHED_BLOCKS = 64
MAX_CACHED_BYTES = 1024
_INDEXED = 0x80  # 6.1
_CHANGES_TABLE = 0x20  # 6.3, and everything up to 6.2.1; below it 6.2.2 and 6.2.3


class HeaderBlocks:
    """Decodes the header blocks of one connection, in their order."""

    def __init__(self) -> None:
        self._decoder = Decoder(max_header_list_size=MAX_HEADER_BLOCK)
        self._known: dict[bytes, list[tuple[bytes, bytes]]] = {}

    def decode(self, block: bytes) -> list[tuple[bytes, bytes]]:
        """Names and values. Raises ProtocolError; the connection cannot go on then (RFC 7541 section 2.2)."""
        known = self._known.get(block)
        if known is not None:
            return known
        try:
            headers: list[tuple[bytes, bytes]] = list(self._decoder.decode(block, raw=True))
        except HPACKError as error:
            raise ProtocolError("header block cannot be decoded") from error
        if len(self._known) >= MAX_CACHED_BLOCKS or not repeatable(block):
            self._known.clear()
        elif len(block) <= MAX_CACHED_BYTES:
            self._known[block] = headers
        return headers


def repeatable(block: bytes) -> bool:
    """Whether decoding this block leaves the dynamic table as it is. The block must be well-formed."""
    position = 0
    while position < len(block):
        first = block[position]
        if first >= _INDEXED:
            _, position = _integer(block, position, 7)
        elif first >= _CHANGES_TABLE:
            return False
        else:
            name, position = _integer(block, position, 4)
            for _ in range(1 if name else 2):
                length, position = _integer(block, position, 7)
                position += length
    return True


def _integer(block: bytes, position: int, prefix: int) -> tuple[int, int]:
    """An integer with a prefix of so many bits, and where it ends."""
    limit = (1 << prefix) - 1
    value = block[position] & limit
    position += 1
    if value < limit:
        return value, position
    shift = 0
    while True:
        octet = block[position]
        position += 1
        value += (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return value, position
