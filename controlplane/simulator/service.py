"""Answers requests as ordered and keeps the record. Knows no transport: see `exchange`.

Guarantees: every request to a chat endpoint has a record before the first byte of its answer; a record ends
exactly once, as completed, cancelled or fault. Limits: the ring's; a body's size is limited by the transport.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import count

import orjson

from controlplane.simulator import completion
from controlplane.simulator.behaviour import Behaviour, BehaviourError, Script, from_model, parse
from controlplane.simulator.control import Control
from controlplane.simulator.exchange import Arrived, Reply
from controlplane.simulator.record import Record, Ring
from controlplane.simulator.request import Request, RequestError, read

_JSON = ("content-type", "application/json")
_GZIP = ("content-encoding", "gzip")


class Service:
    """The simulated provider. `base` is the behaviour of requests that ask for nothing."""

    def __init__(
        self, base: Behaviour | None = None, *, records: int = 20_000, max_record_bytes: int = 256 << 20
    ) -> None:
        self.script = Script()
        self.ring = Ring(records, max_record_bytes)
        self._base = base or Behaviour()
        self._control = Control(self.script, self.ring, self._base)
        self._ids = count(1)

    async def __call__(self, arrived: Arrived, reply: Reply) -> None:
        """Answer one request; cancelled by the transport when the client leaves."""
        path = arrived.path.partition("?")[0]
        if path.startswith("/_sim/"):
            status, answer = self._control.answer(arrived)
            _whole(reply, status, answer)
        elif path.endswith("/models") and arrived.method == "GET":
            _whole(reply, 200, orjson.dumps({"object": "list", "data": []}))
        elif not path.endswith("/chat/completions") or arrived.method != "POST":
            message = f"Invalid URL ({arrived.method} {path})"
            _whole(reply, 404, completion.error(message, "invalid_request_error"))
        else:
            await self._recorded(arrived, reply, path)

    async def _recorded(self, arrived: Arrived, reply: Reply, path: str) -> None:
        record = Record(
            number=self.ring.next_number(),
            at=time.time(),
            provider=provider_of(path),
            protocol=arrived.protocol,
            method=arrived.method,
            path=arrived.path,
            headers=arrived.headers,
            body=arrived.body,
        )
        self.ring.add(record)
        try:
            outcome = await self._chat(record, reply)
        except asyncio.CancelledError:
            self.ring.end(record, "cancelled", time.time())
            raise
        self.ring.end(record, outcome, time.time())

    async def _chat(self, record: Record, reply: Reply) -> str:
        try:
            request = read(record.body)
            behaviour = self._behaviour(record.provider, request)
        except (RequestError, BehaviourError) as error:
            param = getattr(error, "param", None)
            record.status = 400
            _whole(reply, 400, completion.error(str(error), "invalid_request_error", param))
            return "completed"
        record.model, record.stream = request.model, request.stream
        if behaviour.delay_ms:
            await asyncio.sleep(behaviour.delay_ms / 1000)
        if behaviour.hang:
            await asyncio.Event().wait()
        if behaviour.reset_after == 0:
            reply.reset()
            return "fault"
        if behaviour.status != 200:
            record.status = behaviour.status
            _whole(reply, behaviour.status, _failure(behaviour), tuple(behaviour.headers.items()))
            return "completed"
        return await self._answer(record, request, behaviour, reply)

    def _behaviour(self, provider: str, request: Request) -> Behaviour:
        if request.sim:
            return parse(request.sim, self._base)
        return self.script.take(provider, request.model) or from_model(request.model, self._base)

    async def _answer(self, record: Record, request: Request, behaviour: Behaviour, reply: Reply) -> str:
        choices = completion.choose(request, behaviour)
        usage = None if behaviour.no_usage else completion.count(request, choices, behaviour)
        record.usage = usage.as_json() if usage else {}
        record.status = 200
        head = completion.Head(f"chatcmpl-sim-{next(self._ids)}", int(record.at))
        if behaviour.malformed:
            _malformed(reply, behaviour.malformed, stream=request.stream)
            return "fault"
        if request.stream:
            listed = completion.chunks(request, choices, usage, behaviour, head)
            return await _stream(record, _events(listed, behaviour), behaviour, reply)
        body = orjson.dumps(completion.body(request, choices, usage, head))
        return await _deliver_whole(record, body, behaviour, reply)


def provider_of(path: str) -> str:
    """The provider a URL means: its first segment, or "sim" for `/v1/…`."""
    first = path.split("/", 2)[1]
    return "sim" if first == "v1" else first


def _whole(reply: Reply, status: int, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> None:
    reply.start(status, (_JSON, *headers), len(body))
    reply.send(body)
    reply.end()


def _failure(behaviour: Behaviour) -> bytes:
    kind = "requests" if behaviour.status == 429 else "server_error"
    careless = "upstream failure while answering 高橋健一 (kenichi.takahashi@example.co.jp, 090-1234-5678)"
    return completion.error(behaviour.message or careless, kind, None, "simulated")


def _malformed(reply: Reply, how: str, *, stream: bool) -> None:
    if how == "garbage":
        reply.garbage(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        return
    body = {
        "json": b'{"choices": [{"message": {"content": "\xe9\xab\x98',
        "html": b"<html>502</html>",
        "empty": b"",
    }[how]
    if how == "json" and stream:
        body = b"data: " + body + b"\n\n"
    kind = "text/html" if how == "html" else "text/event-stream" if stream else "application/json"
    reply.start(200, (("content-type", kind),), len(body))
    reply.send(body)
    reply.end()


def _events(chunks: Iterable[dict[str, object]], behaviour: Behaviour) -> Iterator[bytes]:
    for index, chunk in enumerate(chunks):
        if index == behaviour.error_after:
            yield completion.event(completion.error("The server had an error", "server_error"), crlf=behaviour.crlf)
            return
        yield completion.event(orjson.dumps(chunk), crlf=behaviour.crlf)
    if not behaviour.no_done:
        yield completion.event(b"[DONE]", crlf=behaviour.crlf)


async def _stream(record: Record, events: Iterator[bytes], behaviour: Behaviour, reply: Reply) -> str:
    headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
    reply.start(200, (*headers, *behaviour.headers.items(), *((_GZIP,) if behaviour.gzip else ())), None)
    return await _deliver(record, events, behaviour, reply)


async def _deliver_whole(record: Record, body: bytes, behaviour: Behaviour, reply: Reply) -> str:
    pack, finish = _packer(behaviour)
    packed = pack(body) + finish()
    headers = (_JSON, ("openai-organization", "org-simulated"), *behaviour.headers.items())
    reply.start(200, (*headers, *((_GZIP,) if behaviour.gzip else ())), len(packed))
    faulty = max(behaviour.hang_after, behaviour.reset_after, behaviour.close_after) >= 0
    # A whole body is one event, unless a fault is to strike inside it.
    size = max(1, len(packed) // 10) if faulty else max(1, len(packed))
    parts = (packed[start : start + size] for start in range(0, len(packed), size))
    return await _deliver(record, parts, behaviour, reply, packed=True)


async def _deliver(
    record: Record, parts: Iterator[bytes], behaviour: Behaviour, reply: Reply, *, packed: bool = False
) -> str:
    pack, finish = (_same, bytes) if packed else _packer(behaviour)
    for part in parts:
        if record.events == behaviour.hang_after:
            await asyncio.Event().wait()
        if record.events == behaviour.reset_after:
            reply.reset()
            return "fault"
        if record.events == behaviour.close_after:
            reply.close()
            return "fault"
        if record.events and behaviour.interval_ms and not behaviour.split_bytes:
            await asyncio.sleep(behaviour.interval_ms / 1000)
        await _write(pack(part), behaviour, reply)
        record.events += 1
    await _write(finish(), behaviour, reply)
    reply.end()
    return "completed"


async def _write(data: bytes, behaviour: Behaviour, reply: Reply) -> None:
    if not data:
        return
    if not behaviour.split_bytes:
        reply.send(data)
        await reply.drain()
        return
    for start in range(0, len(data), behaviour.split_bytes):
        reply.send(data[start : start + behaviour.split_bytes])
        # A turn of the loop is what puts the next piece into its own segment.
        await asyncio.sleep(behaviour.interval_ms / 1000)


def _same(data: bytes) -> bytes:
    return data


def _packer(behaviour: Behaviour) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """What makes wire bytes of each event, and what ends the body."""
    if not behaviour.gzip:
        return _same, bytes
    # 31 = gzip container around a 32 KiB window (zlib manual, deflateInit2).
    deflate = zlib.compressobj(wbits=31)
    return lambda data: deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH), deflate.flush
