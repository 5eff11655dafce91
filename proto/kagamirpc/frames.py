"""HTTP/2 frames and gRPC framing as bytes.

Strategy: what never changes is built once (the response header block, the OK trailers), what changes is packed with
one `struct` call. Response headers use HPACK literals without indexing (RFC 7541 section 6.2.2), so that
no encoder state has to be kept. Sources: RFC 9113 sections 4 and 6; gRPC over HTTP/2 (PROTOCOL-HTTP2.md).
"""

from __future__ import annotations

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9
DEFAULT_FRAME_BYTES = 16_384
DEFAULT_WINDOW = 65_535
MAX_WINDOW = 2**31 - 1

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY_FLAG = 0x20

SETTING_INITIAL_WINDOW = 0x4
SETTING_MAX_FRAME = 0x5
SETTING_MAX_STREAMS = 0x3
SETTING_MAX_HEADER_LIST = 0x6

NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR = 0x0, 0x1, 0x3, 0x5, 0x6
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0x7, 0x8, 0xB

_GRPC_PREFIX = struct.Struct(">BI")


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """One frame; the payload must fit the peer's SETTINGS_MAX_FRAME_SIZE."""
    size = len(payload)
    return struct.pack(">BHBBI", size >> 16, size & 0xFFFF, kind, flags, stream_id) + payload


def settings(values: dict[int, int]) -> bytes:
    """SETTINGS with our values (RFC 9113 section 6.5)."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", key, value) for key, value in values.items()))


def window_update(stream_id: int, increment: int) -> bytes:
    """Credit of `increment` bytes for a stream, or for the connection when `stream_id` is 0 (6.9)."""
    return frame(WINDOW_UPDATE, 0, stream_id, struct.pack(">I", increment))


def reset(stream_id: int, code: int) -> bytes:
    """End one stream at once (6.4)."""
    return frame(RST_STREAM, 0, stream_id, struct.pack(">I", code))


def goaway(last_stream_id: int, code: int) -> bytes:
    """No stream above `last_stream_id` was or will be served (6.8)."""
    return frame(GOAWAY, 0, 0, struct.pack(">II", last_stream_id, code))


def message(payload: bytes) -> bytes:
    """gRPC length-prefixed message, uncompressed."""
    return _GRPC_PREFIX.pack(0, len(payload)) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    # Longer strings would need HPACK's multi-byte length form; ours are constants and status numbers.
    assert max(len(name), len(value)) < 127
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


_RESPONSE = b"\x88" + _literal(b"content-type", b"application/grpc")  # 0x88: ":status 200" of the static table


def response_headers(stream_id: int) -> bytes:
    """Response-Headers of a call that will carry messages."""
    return frame(HEADERS, END_HEADERS, stream_id, _RESPONSE)


def trailers(stream_id: int, status: int, *, only: bool) -> bytes:
    """End the call with a gRPC status; `only` when no response headers were sent (Trailers-Only)."""
    block = (_RESPONSE if only else b"") + _literal(b"grpc-status", str(status).encode())
    return frame(HEADERS, END_HEADERS | END_STREAM, stream_id, block)
