"""A provider that answers exactly the bytes a test gives it, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import orjson


@dataclass
class Received:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the caller hung up before the answer was complete."""


@dataclass
class Script:
    """What to answer: `pieces` of body are written one by one, `pause` seconds apart."""

    pieces: Sequence[bytes] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    pause: float = 0.0
    hang: bool = False
    """Never answer."""
    reset_after: int | None = None
    """Cut the connection after this many pieces; 0 = before any byte."""


class Provider:
    """Answers every request with `script`. Use `serving()`."""

    def __init__(self) -> None:
        self.script = Script()
        self.received: list[Received] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await self._read(reader):
                self.received.append(request)
                if not await self._answer(request, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return None
        line, *rest = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Received(line, headers, body)

    async def _answer(self, request: Received, reader, writer) -> bool:
        script = self.script
        if script.hang:
            await reader.read()
            request.closed.set()
            return False
        if script.reset_after == 0:
            writer.transport.abort()
            return False
        head = [f"HTTP/1.1 {script.status} X", "transfer-encoding: chunked"]
        head += [f"{name}: {value}" for name, value in script.headers.items()]
        writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
        watch = asyncio.create_task(reader.read(1))
        try:
            for number, piece in enumerate(script.pieces, 1):
                if piece:
                    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
                await asyncio.wait({watch}, timeout=script.pause or 0)
                if watch.done():
                    request.closed.set()
                    return False
                if script.reset_after == number:
                    writer.transport.abort()
                    return False
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            return False
        finally:
            watch.cancel()


@contextlib.asynccontextmanager
async def serving(port: int) -> AsyncIterator[Provider]:
    """A provider on a loopback port."""
    provider = Provider()
    server = await asyncio.start_server(provider.handle, "127.0.0.1", port, limit=32 << 20)
    try:
        yield provider
    finally:
        server.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def delta(content: str | None = None, *, index: int = 0, finish: str | None = None, **more: object) -> bytes:
    """One chunk of OpenAI's chat stream, as an event."""
    fields = {**({} if content is None else {"content": content}), **more}
    choice = {"index": index, "delta": fields, "finish_reason": finish}
    return event({"choices": [choice]})


def event(fields: dict[str, object]) -> bytes:
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m", **fields}
    return b"data: " + orjson.dumps(frame) + b"\n\n"


def usage(prompt: int = 10, completion: int = 20) -> bytes:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return event({"choices": [], "usage": counts})


DONE = b"data: [DONE]\n\n"


def completion(content: str | None, **message: object) -> bytes:
    """A whole answer."""
    said = {"role": "assistant", "content": content, **message}
    return orjson.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "m",
            "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
        }
    )
