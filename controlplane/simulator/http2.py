"""HTTP/2 for the simulated provider, on the h2 state machine.

Guarantees: each stream is its own task, cancelled when its client resets it or leaves; flow control is
honoured in both directions. Limits: body as given, 1,000 streams per connection.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from controlplane.simulator.exchange import Arrived, Handler, Headers

_WINDOW = 16 << 20


@dataclass(slots=True)
class _Stream:
    headers: tuple[tuple[str, str], ...]
    body: bytearray = field(default_factory=bytearray)
    task: asyncio.Task[None] | None = None
    reply: Http2Reply | None = None


class Http2Protocol(asyncio.Protocol):
    """One client connection."""

    def __init__(self, handler: Handler, *, max_body_bytes: int) -> None:
        self._handler, self._max_body = handler, max_body_bytes
        config = H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False)
        self.connection = H2Connection(config)
        self.streams: dict[int, _Stream] = {}
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = transport  # type: ignore[assignment]  # uvloop's class is not registered
        self.connection.initiate_connection()
        self.connection.update_settings(
            {SettingCodes.MAX_CONCURRENT_STREAMS: 1_000, SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW}
        )
        self.connection.increment_flow_control_window(_WINDOW)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Called by asyncio."""
        for stream in list(self.streams.values()):
            if stream.task is not None:
                stream.task.cancel()

    def pause_writing(self) -> None:
        """Called by asyncio; the peer's window already bounds what is buffered here."""

    def resume_writing(self) -> None:
        """Called by asyncio."""

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        try:
            events = self.connection.receive_data(data)
        except ProtocolError:
            self.flush()
            self.transport.close()
            return
        for event in events:
            self._on_event(event)
        self.flush()

    def flush(self) -> None:
        """Write what the state machine has to say."""
        if data := self.connection.data_to_send():
            self.transport.write(data)

    def _on_event(self, event: object) -> None:
        match event:
            case RequestReceived(stream_id=int() as number, headers=headers):
                self.streams[number] = _Stream(tuple((str(n), str(v)) for n, v in headers or ()))
            case DataReceived(stream_id=int() as number):
                self._on_data(number, event)
            case StreamEnded(stream_id=int() as number):
                self._serve(number)
            case StreamReset(stream_id=int() as number):
                stream = self.streams.pop(number, None)
                if stream is not None and stream.task is not None:
                    stream.task.cancel()
            case WindowUpdated() | RemoteSettingsChanged():
                for stream in self.streams.values():
                    if stream.reply is not None:
                        stream.reply.pump()
            case ConnectionTerminated():
                self.transport.close()

    def _on_data(self, number: int, event: DataReceived) -> None:
        self.connection.acknowledge_received_data(event.flow_controlled_length or 0, number)
        stream = self.streams.get(number)
        if stream is None:
            return
        stream.body += event.data or b""
        if len(stream.body) > self._max_body:
            self.connection.reset_stream(number, ErrorCodes.ENHANCE_YOUR_CALM)
            del self.streams[number]

    def _serve(self, number: int) -> None:
        stream = self.streams.get(number)
        if stream is None:
            return
        pseudo = {name: value for name, value in stream.headers if name.startswith(":")}
        headers = tuple((n, v) for n, v in stream.headers if not n.startswith(":"))
        arrived = Arrived(pseudo.get(":method", ""), pseudo.get(":path", "/"), headers, bytes(stream.body), "h2")
        stream.reply = Http2Reply(self, number)
        stream.task = asyncio.get_running_loop().create_task(self._run(arrived, number, stream.reply))

    async def _run(self, arrived: Arrived, number: int, reply: Http2Reply) -> None:
        try:
            await self._handler(arrived, reply)
            await reply.emptied.wait()
        finally:
            self.streams.pop(number, None)


class Http2Reply:
    """See `exchange.Reply`. Pieces wait here while the client's window is closed."""

    def __init__(self, protocol: Http2Protocol, number: int) -> None:
        self._protocol, self._number = protocol, number
        self._pending = bytearray()
        self._ended = self._dead = False
        self.emptied = asyncio.Event()
        self.emptied.set()

    def start(self, status: int, headers: Headers, length: int | None) -> None:
        """HEADERS."""
        head = [(":status", str(status)), ("server", "simulator"), *headers]
        if length is not None:
            head.append(("content-length", str(length)))
        self._protocol.connection.send_headers(self._number, head)
        self._protocol.flush()

    def send(self, data: bytes) -> None:
        """DATA, as far as the window allows."""
        self._pending += data
        self.pump()

    async def drain(self) -> None:
        """Wait until every piece is out."""
        await self.emptied.wait()

    def end(self) -> None:
        """END_STREAM after what is pending."""
        self._ended = True
        self.pump()

    def pump(self) -> None:
        """Send what can be sent now."""
        connection = self._protocol.connection
        while self._pending and not self._dead:
            room = min(connection.local_flow_control_window(self._number), connection.max_outbound_frame_size)
            if room <= 0:
                break
            connection.send_data(self._number, bytes(self._pending[:room]))
            del self._pending[:room]
        if not self._pending and self._ended and not self._dead:
            connection.end_stream(self._number)
            self._dead = True
        self._protocol.flush()
        if self._pending and not self._dead:
            self.emptied.clear()
        else:
            self.emptied.set()

    def reset(self) -> None:
        """RST_STREAM(INTERNAL_ERROR)."""
        self._dead = True
        self._protocol.connection.reset_stream(self._number, ErrorCodes.INTERNAL_ERROR)
        self._protocol.flush()

    def close(self) -> None:
        """FIN in the middle of a stream."""
        self._dead = True
        self._protocol.transport.close()

    def garbage(self, data: bytes) -> None:
        """Bytes that are no frame."""
        self._dead = True
        self._protocol.transport.write(data)
        self._protocol.transport.close()
