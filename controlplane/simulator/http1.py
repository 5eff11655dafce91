"""HTTP/1.1 for the simulated provider: httptools parses, every response byte is written here.

Guarantees: a `Reply.send` is one write to the socket (Nagle off); the client's leaving is noticed at once,
also by a half-close, and cancels the request's task. Requests on one connection are answered in order.
Limits: header block 64 KiB, body as given, 64 pipelined requests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus

import httptools

from controlplane.simulator.exchange import Arrived, Handler, Headers

_MAX_HEADER_BYTES = 64 << 10
_MAX_PIPELINED = 64
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Http1Protocol(asyncio.Protocol):
    """One client connection."""

    def __init__(self, handler: Handler, *, max_body_bytes: int) -> None:
        self._handler, self._max_body = handler, max_body_bytes
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Arrived, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.transport: asyncio.Transport
        self.on_message_begin()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = transport  # type: ignore[assignment]  # uvloop's class is not registered

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Called by asyncio."""
        self._writable.set()
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, OverflowError):
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()

    # httptools

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._head_size = self._body_size = 0

    def on_url(self, url: bytes) -> None:
        """Called by the parser, possibly more than once."""
        self._url += url
        self._grow_head(len(url))

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Called by the parser."""
        value = value or b""
        self._grow_head(len(name) + len(value))
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))
        if name.lower() == b"expect":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body_size += len(body)
        if self._body_size > self._max_body:
            raise OverflowError
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        method = self._parser.get_method().decode("latin-1")
        body = b"".join(self._body)
        arrived = Arrived(method, self._url.decode("latin-1"), tuple(self._headers), body, "http/1.1")
        self._waiting.append((arrived, self._parser.should_keep_alive()))
        if len(self._waiting) > _MAX_PIPELINED:
            raise OverflowError
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())

    def _grow_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > _MAX_HEADER_BYTES:
            raise OverflowError

    async def _serve(self) -> None:
        while self._waiting:
            arrived, keep_alive = self._waiting.popleft()
            try:
                await self._handler(arrived, Http1Reply(self.transport, self._writable))
            except Exception:
                # A defect of ours: cut the client off rather than leave it waiting; asyncio reports the error.
                self.transport.abort()
                raise
            if not keep_alive:
                self.transport.close()
        self._task = None


class Http1Reply:
    """See `exchange.Reply`."""

    def __init__(self, transport: asyncio.Transport, writable: asyncio.Event) -> None:
        self._transport, self._writable = transport, writable
        self._chunked = False
        self._head = b""

    def start(self, status: int, headers: Headers, length: int | None) -> None:
        """The head waits for the first piece, so that a whole answer is one write."""
        self._chunked = length is None
        framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        reason = _REASONS.get(status, "Simulated")
        self._head = f"HTTP/1.1 {status} {reason}\r\nserver: simulator\r\n{lines}{framing}\r\n\r\n".encode("latin-1")

    def send(self, data: bytes) -> None:
        """One write per piece."""
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        self._transport.write(self._head + data)
        self._head = b""

    async def drain(self) -> None:
        """Wait while the socket's buffer is full."""
        if not self._writable.is_set():
            await self._writable.wait()

    def end(self) -> None:
        """The last chunk, or nothing."""
        tail = b"0\r\n\r\n" if self._chunked else b""
        if self._head or tail:
            self._transport.write(self._head + tail)
        self._head = b""

    def reset(self) -> None:
        """RST: abort() drops what is unsent, and zero linger turns the close into a reset."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            # struct linger {on, 0 seconds}
            sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self._transport.abort()

    def close(self) -> None:
        """FIN after what was written."""
        self._transport.write(self._head)
        self._transport.close()

    def garbage(self, data: bytes) -> None:
        """No status line, no headers."""
        self._transport.write(data)
        self._transport.close()
