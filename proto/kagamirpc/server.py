"""Asyncio shell around `Connection`: listens, runs one task per call, drains.

Strategy: a handler is a coroutine function; unary calls get the request bytes and return the reply bytes, bidirectional
calls get a `Call`.
What a call says is handed to the transport at once, a unary reply together with its status. A handler that raises ends
its call with status INTERNAL and nothing else: Envoy then fails closed. A call the peer resets, or whose connection is
lost, has its task cancelled; handlers clean up in `finally`.

Guarantees: no call ends with status OK unless its handler returned normally, a bidirectional one only after the peer
half-closed as well. With `authorize` a call whose headers do not satisfy it ends UNAUTHENTICATED before its handler
exists or a message of it is looked at, and UNAVAILABLE, for the caller to try another process, while `ready` says no;
only methods marked public are exempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from kagamirpc.connection import Connection
from kagamirpc.events import Event, HalfClosed, Message, Opened, ProtocolError
from kagamirpc.polling import Polling

ABORTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = 10, 12, 13, 14, 16
NOTICE_SECONDS = 0.75
"""How long a process that is told to stop answers calls while its health says no: three of the health checks that
Kagami's Envoy makes (one in 250 ms)."""
Headers = list[tuple[bytes, bytes]]
ErrorHook = Callable[[str, BaseException], None]
Authorize = Callable[[Headers], bool]
"""Whether a call with these headers may be made."""


class CallAbortedError(Exception):
    """Raised by a handler to end its call with status ABORTED; nothing to report, the handler decided so."""


class Call:
    """One bidirectional call, as its handler sees it."""

    __slots__ = ("_closed", "_inbox", "_protocol", "_waiter", "headers", "stream_id")

    def __init__(self, protocol: _Protocol, stream_id: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._protocol = protocol
        self._inbox: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self.stream_id = stream_id
        self.headers = headers

    def header(self, name: bytes) -> bytes | None:
        """First value of a request header (lower-case name)."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def half_closed(self) -> bool:
        """True once the peer said it will send no more."""
        return self._closed

    async def receive(self) -> bytes | None:
        """The next message, or None when the peer has half-closed."""
        while not self._inbox:
            if self._closed:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._inbox.popleft()

    def send(self, payload: bytes) -> None:
        """Send one message; never blocks (replies are bounded by what the peer asked)."""
        self._protocol.connection.send_message(self.stream_id, payload)
        self._protocol.flush()

    def feed(self, payload: bytes | None) -> None:
        """Hand the call a message, or None for half-close."""
        if payload is None:
            self._closed = True
        else:
            self._inbox.append(payload)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@dataclass(frozen=True, slots=True)
class Unary:
    """One request, one reply; the handler gets the request's bytes and headers."""

    handler: Callable[[bytes, Headers], Awaitable[bytes]]
    public: bool = False
    """Answered without authorization, and by a process that is not ready."""


@dataclass(frozen=True, slots=True)
class Bidirectional:
    """Messages both ways until the handler returns."""

    handler: Callable[[Call], Awaitable[None]]
    public: bool = False


Methods = Mapping[bytes, Unary | Bidirectional]
"""By path: b"/package.Service/Method"."""


class _Protocol(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self.connection = Connection(max_message_bytes=server.max_message_bytes)
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, Call] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._flush_due = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's stream transports do not subclass it
        self._server.protocols.add(self)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._server.leave(self)
        for task in list(self._tasks.values()):
            task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            for event in self.connection.receive(data):
                self._on(event)
        except ProtocolError as error:
            self._server.on_error("connection", error)
            self.connection.fail(error)
            self.flush()
            if self._transport is not None:
                self._transport.close()
            return
        self.flush_soon()

    def _on(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._open(event)
            return
        call = self._calls.get(event.stream_id)
        if call is None:
            return
        if isinstance(event, Message):
            call.feed(event.payload)
        elif isinstance(event, HalfClosed):
            call.feed(None)
        elif (task := self._tasks.get(event.stream_id)) is not None:
            task.cancel()

    def _open(self, event: Opened) -> None:
        path = next((value for key, value in event.headers if key == b":path"), b"")
        method = self._server.methods.get(path)
        if method is None:
            self.connection.finish(event.stream_id, UNIMPLEMENTED)
            return
        if not method.public and not self._server.authorize(event.headers):
            self.connection.finish(event.stream_id, UNAUTHENTICATED)
            return
        if not method.public and not self._server.ready():
            self.connection.finish(event.stream_id, UNAVAILABLE)
            return
        if not method.public:
            # Health checks never end.
            self._server.polling.touch()
        call = Call(self, event.stream_id, event.headers)
        self._calls[event.stream_id] = call
        task = asyncio.get_running_loop().create_task(self._run(method, call))
        self._tasks[event.stream_id] = task

    async def _run(self, method: Unary | Bidirectional, call: Call) -> None:
        status = INTERNAL
        try:
            if isinstance(method, Unary):
                request = await call.receive()
                if request is not None:
                    # Not sent before its status: both are one write.
                    self.connection.send_message(call.stream_id, await method.handler(request, call.headers))
                    status = 0
            else:
                await method.handler(call)
                # Envoy treats a clean end before its own as "done with me" and passes the rest unprocessed.
                status = 0 if call.half_closed else INTERNAL
        except CallAbortedError:
            status = ABORTED
        except Exception as error:  # noqa: BLE001 - the last barrier: the peer must see a failed call, not silence
            self._server.on_error("call", error)
        finally:
            # Also on cancellation: the stream is then gone and finish() has no effect.
            self._calls.pop(call.stream_id, None)
            self._tasks.pop(call.stream_id, None)
            self.connection.finish(call.stream_id, status)
            self.flush()

    def flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        self._flush_due = False
        data = self.connection.take()
        if data and self._transport is not None:
            self._transport.write(data)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """Tasks of the calls now running."""
        return list(self._tasks.values())

    def drain(self) -> None:
        self.connection.drain()
        self.flush()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _anyone(_headers: Headers) -> bool:
    """For unix sockets, whose file mode has decided already."""
    return True


def always() -> bool:
    """The answer of a process that has nothing to say against itself."""
    return True


def _private_socket(path: str) -> socket.socket:
    """A socket only this user can connect to; a file that a dead process left is replaced."""
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    return listener


class Server:
    """Serves `methods` on a unix socket (`unix:/path`) or `host:port`."""

    def __init__(
        self,
        methods: Methods,
        *,
        max_message_bytes: int,
        on_error: ErrorHook,
        authorize: Authorize | None = None,
        ready: Callable[[], bool] = always,
        linger: float = 0.0,
        rehearse: Callable[[], None] | None = None,
    ) -> None:
        """`ready`: asked at every call; `linger`: seconds to wait awake for the next one; `rehearse`: a step of what to
        do meanwhile (`polling`).
        """
        self.methods = methods
        self.authorize = authorize or _anyone
        self.ready = ready
        self.max_message_bytes = max_message_bytes
        self.on_error = on_error
        self.polling = Polling(linger, rehearse, functools.partial(on_error, "rehearsal"))
        self.protocols: set[_Protocol] = set()
        self._left = asyncio.Event()
        self._listener: asyncio.AbstractServer | None = None

    def leave(self, protocol: _Protocol) -> None:
        """A connection ended."""
        self.protocols.discard(protocol)
        self._left.set()

    async def start(self, address: str) -> None:
        """Listen. Raises OSError when the address cannot be bound; a stale unix socket is replaced."""
        loop = asyncio.get_running_loop()
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            listener = _private_socket(path)
            self._listener = await loop.create_unix_server(lambda: _Protocol(self), sock=listener, backlog=1024)
        else:
            host, _, port = address.rpartition(":")
            self._listener = await loop.create_server(
                lambda: _Protocol(self), host.strip("[]"), int(port), backlog=1024, family=socket.AF_UNSPEC
            )

    async def stop(self, grace: float, *, notice: float = 0.0) -> None:
        """Refuse new calls, let running ones finish for `grace` seconds, then cut them off.

        Before that go on as ever for `notice` seconds, or until nobody is connected: whoever asks for the health of the
        process, which says no already, goes elsewhere without a call lost.
        """
        await self._unneeded(notice)
        if self._listener is not None:
            self._listener.close()
        for protocol in list(self.protocols):
            protocol.drain()
        tasks = [task for protocol in self.protocols for task in protocol.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for protocol in list(self.protocols):
            protocol.abort()
        self.polling.stop()

    async def _unneeded(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.protocols:
                    self._left.clear()
                    await self._left.wait()
