"""One HTTP/2 server connection that carries gRPC, without I/O.

Strategy: `receive(data)` parses whole frames and returns events; `send_message` and `finish` queue bytes that `take()`
hands to the transport. Incoming flow control is a fixed generous window, topped up when half used, because messages
are bounded by `max_message_bytes` and Envoy sends the next one only after our reply. Outgoing flow control is obeyed
exactly: what does not fit the peer's window waits in the stream, in order.

Guarantees: a violation of the protocol raises `ProtocolError` and the connection is to be closed after `take()`; a
stream that was reset accepts no more output (silently: the caller learns it from the `Reset` event).
Limits: see the package; header blocks up to 64 KiB, messages up to `max_message_bytes`, `MAX_STREAMS` calls at once.
Source: RFC 9113 (section numbers in comments).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from kagamirpc import frames as f
from kagamirpc.blocks import MAX_HEADER_BLOCK, HeaderBlocks
from kagamirpc.events import Event, HalfClosed, Message, Opened, ProtocolError, Reset

MAX_STREAMS = 4096
RECEIVE_WINDOW = 32 * 2**20

_FRAME = struct.Struct(">BHBBI")
_PREFIX = struct.Struct(">BI")


@dataclass(slots=True)
class _Stream:
    window: int
    inbox: bytearray = field(default_factory=bytearray)
    outbox: bytearray = field(default_factory=bytearray)
    received: int = 0
    headers_sent: bool = False
    half_closed: bool = False
    status: int | None = None
    """gRPC status waiting for the outbox to drain."""


class Connection:
    """State of one connection; see the module's docstring."""

    def __init__(self, *, max_message_bytes: int) -> None:
        self._max_message = max_message_bytes
        self._rest = b""
        self._preface_seen = False
        self._blocks = HeaderBlocks()
        self._streams: dict[int, _Stream] = {}
        self._blocked: set[int] = set()
        """Streams with output that waits for the connection's window."""
        self._last_id = 0
        self._block: tuple[int, int, bytearray] | None = None
        self._window = f.DEFAULT_WINDOW
        self._initial_window = f.DEFAULT_WINDOW
        self._max_frame = f.DEFAULT_FRAME_BYTES
        self._received = 0
        self._draining = False
        self._out: list[bytes] = [
            f.settings({
                f.SETTING_INITIAL_WINDOW: RECEIVE_WINDOW,
                f.SETTING_MAX_STREAMS: MAX_STREAMS,
                f.SETTING_MAX_HEADER_LIST: MAX_HEADER_BLOCK,
            }),
            f.window_update(0, RECEIVE_WINDOW - f.DEFAULT_WINDOW),
        ]  # fmt: skip

    @property
    def active(self) -> int:
        """Calls not yet finished by both sides."""
        return len(self._streams)

    def take(self) -> bytes:
        """Everything to be written now."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    # -- incoming ---------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[Event]:
        """Parse as many whole frames as `data` completes. Raises ProtocolError."""
        if self._rest:
            data = self._rest + data
        position, size, events = 0, len(data), []  # type: int, int, list[Event]
        if not self._preface_seen:
            if not data.startswith(f.PREFACE[:size]):
                raise ProtocolError("not HTTP/2: the connection preface is missing")
            if size < len(f.PREFACE):
                self._rest = data
                return events
            self._preface_seen, position = True, len(f.PREFACE)
        while size - position >= f.HEADER_BYTES:
            high, low, kind, flags, stream_id = _FRAME.unpack_from(data, position)
            end = position + f.HEADER_BYTES + (high << 16 | low)
            if end - position > f.DEFAULT_FRAME_BYTES + f.HEADER_BYTES:
                raise ProtocolError("frame larger than the advertised maximum", f.FRAME_SIZE_ERROR)
            if end > size:
                break
            self._dispatch(kind, flags, stream_id & f.MAX_WINDOW, data[position + f.HEADER_BYTES : end], events)
            position = end
        self._rest = data[position:]
        return events

    def _dispatch(self, kind: int, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        if self._block is not None and kind != f.CONTINUATION:
            raise ProtocolError("a header block was interrupted")  # 6.10
        if kind == f.DATA:
            self._on_data(flags, stream_id, payload, events)
        elif kind == f.HEADERS:
            self._on_headers(flags, stream_id, payload, events)
        elif kind == f.CONTINUATION:
            self._on_continuation(flags, stream_id, payload, events)
        elif kind == f.WINDOW_UPDATE:
            self._on_window_update(stream_id, payload)
        elif kind == f.SETTINGS:
            self._on_settings(flags, payload)
        elif kind == f.RST_STREAM:
            if self._streams.pop(stream_id, None) is not None:
                events.append(Reset(stream_id))
        elif kind == f.PING:
            if len(payload) != 8:
                raise ProtocolError("PING of the wrong size", f.FRAME_SIZE_ERROR)
            if not flags & f.ACK:
                self._out.append(f.frame(f.PING, f.ACK, 0, payload))
        elif kind == f.PUSH_PROMISE:
            raise ProtocolError("a client may not push")  # 8.4
        # GOAWAY: the peer opens no more streams; PRIORITY and unknown kinds are ignored (5.5).

    def _on_headers(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        fragment = _unpad(flags, payload)
        if flags & f.PRIORITY_FLAG:
            fragment = fragment[5:]
        self._block = (stream_id, flags, bytearray())
        self._on_continuation(flags, stream_id, fragment, events)

    def _on_continuation(self, flags: int, stream_id: int, fragment: bytes, events: list[Event]) -> None:
        if self._block is None or self._block[0] != stream_id:
            raise ProtocolError("CONTINUATION without its header block")
        block = self._block[2]
        block += fragment
        if len(block) > MAX_HEADER_BLOCK:
            raise ProtocolError("header block too large", f.ENHANCE_YOUR_CALM)
        if flags & f.END_HEADERS:
            first_flags, self._block = self._block[1], None
            self._on_header_block(stream_id, first_flags, bytes(block), events)

    def _on_header_block(self, stream_id: int, flags: int, block: bytes, events: list[Event]) -> None:
        headers = self._blocks.decode(block)
        if stream_id in self._streams:  # trailers of the request: only their END_STREAM matters to gRPC
            self._end_input(stream_id, flags, events)
            return
        if stream_id % 2 == 0 or stream_id <= self._last_id:
            raise ProtocolError("stream identifiers must be odd and rise")  # 5.1.1
        self._last_id = stream_id
        if self._draining or len(self._streams) >= MAX_STREAMS:
            self._out.append(f.reset(stream_id, f.REFUSED_STREAM))
            return
        self._streams[stream_id] = _Stream(self._initial_window)
        events.append(Opened(stream_id, headers))
        self._end_input(stream_id, flags, events)

    def _on_data(self, flags: int, stream_id: int, payload: bytes, events: list[Event]) -> None:
        self._account(stream_id, len(payload))
        stream = self._streams.get(stream_id)
        if stream is None:
            if stream_id == 0 or stream_id > self._last_id:
                raise ProtocolError("DATA on a stream that was never opened")
            return  # finished by us a moment ago
        if flags & f.PADDED:
            payload = _unpad(flags, payload)
        if payload:
            stream.inbox += payload
            self._messages(stream_id, stream, events)
        if flags & f.END_STREAM:
            self._end_input(stream_id, flags, events)

    def _account(self, stream_id: int, size: int) -> None:
        """Give flow-control credit back when half of a window is used (6.9)."""
        self._received += size
        if self._received > RECEIVE_WINDOW // 2:
            self._out.append(f.window_update(0, self._received))
            self._received = 0
        stream = self._streams.get(stream_id)
        if stream is not None:
            stream.received += size
            if stream.received > RECEIVE_WINDOW // 2:
                self._out.append(f.window_update(stream_id, stream.received))
                stream.received = 0

    def _messages(self, stream_id: int, stream: _Stream, events: list[Event]) -> None:
        inbox, position = stream.inbox, 0
        while len(inbox) - position >= 5:
            compressed, size = _PREFIX.unpack_from(inbox, position)
            if compressed:
                raise ProtocolError("compressed gRPC message without negotiation")
            if size > self._max_message:
                raise ProtocolError("gRPC message over the limit", f.ENHANCE_YOUR_CALM)
            end = position + 5 + size
            if end > len(inbox):
                break
            events.append(Message(stream_id, bytes(inbox[position + 5 : end])))
            position = end
        if position:
            del inbox[:position]

    def _end_input(self, stream_id: int, flags: int, events: list[Event]) -> None:
        stream = self._streams.get(stream_id)
        if stream is not None and flags & f.END_STREAM and not stream.half_closed:
            stream.half_closed = True
            events.append(HalfClosed(stream_id))

    def _on_settings(self, flags: int, payload: bytes) -> None:
        if flags & f.ACK:
            return
        if len(payload) % 6:
            raise ProtocolError("SETTINGS of the wrong size", f.FRAME_SIZE_ERROR)
        for key, value in struct.iter_unpack(">HI", payload):
            if key == f.SETTING_INITIAL_WINDOW:
                self._change_initial_window(value)
            elif key == f.SETTING_MAX_FRAME:
                self._max_frame = value
        self._out.append(f.frame(f.SETTINGS, f.ACK, 0))

    def _change_initial_window(self, value: int) -> None:
        if value > f.MAX_WINDOW:
            raise ProtocolError("initial window too large", f.FLOW_CONTROL_ERROR)
        difference, self._initial_window = value - self._initial_window, value
        for stream_id, stream in list(self._streams.items()):
            stream.window += difference  # 6.9.2: may become negative
            self._pump(stream_id, stream)

    def _on_window_update(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ProtocolError("WINDOW_UPDATE of the wrong size", f.FRAME_SIZE_ERROR)
        increment = int.from_bytes(payload, "big") & f.MAX_WINDOW
        if stream_id == 0:
            self._window += increment
            for each in list(self._blocked):
                self._blocked.discard(each)
                if (stream := self._streams.get(each)) is not None:
                    self._pump(each, stream)
        elif stream_id in self._streams:
            one = self._streams[stream_id]
            one.window += increment
            self._pump(stream_id, one)
        if self._window > f.MAX_WINDOW:
            raise ProtocolError("flow-control window overflow", f.FLOW_CONTROL_ERROR)

    # -- outgoing ---------------------------------------------------------------------------------------------

    def send_message(self, stream_id: int, payload: bytes) -> None:
        """Queue one gRPC message; response headers go before the first."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.status is not None:
            return
        if not stream.headers_sent:
            stream.headers_sent = True
            self._out.append(f.response_headers(stream_id))
        stream.outbox += f.message(payload)
        self._pump(stream_id, stream)

    def finish(self, stream_id: int, status: int) -> None:
        """End the call with a gRPC status code once everything queued has gone."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.status is not None:
            return
        if status:
            stream.outbox.clear()
        stream.status = status
        self._pump(stream_id, stream)

    def pending(self, stream_id: int) -> int:
        """Bytes of this stream that wait for the peer's window."""
        stream = self._streams.get(stream_id)
        return 0 if stream is None else len(stream.outbox)

    def drain(self) -> None:
        """Tell the peer to open no more calls here (6.8); running ones go on."""
        if not self._draining:
            self._draining = True
            self._out.append(f.goaway(self._last_id, f.NO_ERROR))

    def fail(self, error: ProtocolError) -> None:
        """Queue the GOAWAY that tells the peer why the connection ends."""
        self._out.append(f.goaway(self._last_id, error.code))

    def _pump(self, stream_id: int, stream: _Stream) -> None:
        outbox = stream.outbox
        while outbox:
            size = min(len(outbox), self._max_frame, stream.window, self._window)
            if size <= 0:
                if stream.window > 0:
                    self._blocked.add(stream_id)
                return
            self._out.append(f.frame(f.DATA, 0, stream_id, bytes(outbox[:size])))
            del outbox[:size]
            stream.window -= size
            self._window -= size
        if stream.status is not None:
            self._out.append(f.trailers(stream_id, stream.status, only=not stream.headers_sent))
            if not stream.half_closed:
                # 8.1: the answer is complete, the rest of the request is of no interest. NO_ERROR whatever the status:
                # with another code grpc clients report the reset instead of the status in the trailers.
                self._out.append(f.reset(stream_id, f.NO_ERROR))
            del self._streams[stream_id]


def _unpad(flags: int, payload: bytes) -> bytes:
    if not flags & f.PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ProtocolError("padding longer than its frame")
    return payload[1 : len(payload) - payload[0]]
