"""A load generator small enough not to be what is measured.

Strategy: one asyncio task and one HTTP/1.1 keep-alive connection per slot, requests built before the clock starts,
response framing (content-length or chunked) read with `bytes.find`, so a request costs the generator about 60 µs.
Closed loop (`rate=None`): every slot sends its next request when the last answer ends; throughput is then the server's.
Open loop (`rate=r`): requests are due at fixed times and latency counts from the due time, so a stall is not hidden by
the requests it delayed (no coordinated omission).

Limits: loopback only, no TLS, no pipelining; a response that is neither 200 nor complete counts as an error.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

READ_BYTES = 65_536
_TOKEN = b'"content":"'
_NONE: Mapping[str, str] = {}


@dataclass(slots=True)
class Sample:
    """Seconds from the request's due time."""

    first_byte: float
    first_token: float
    """First event with content; equals `first_byte` for answers in one piece."""
    total: float
    gaps: list[float] = field(default_factory=list)
    """Between arrivals of body pieces of a streamed answer."""


@dataclass(slots=True)
class Result:
    samples: list[Sample] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Successful requests per second."""
        return len(self.samples) / self.seconds if self.seconds else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; NaN when there are no values."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request_bytes(path: str, host: str, body: bytes, key: str | None, headers: Mapping[str, str] = _NONE) -> bytes:
    """One complete HTTP/1.1 POST."""
    named = {"authorization": f"Bearer {key}", **headers} if key else headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{lines}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class _Connection:
    """Reads one response at a time and remembers the bytes behind it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, request: bytes, due: float) -> Sample:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 22)
        assert self._reader is not None
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        first_byte = time.perf_counter() - due
        if not head.startswith(b"HTTP/1.1 200"):
            self.close()
            raise ConnectionError(head.split(b"\r\n", 1)[0].decode("latin-1"))
        lowered = head.lower()
        sample = Sample(first_byte, first_byte, 0.0)
        if b"transfer-encoding: chunked" in lowered:
            await self._chunked(self._reader, sample, due)
        else:
            start = lowered.index(b"content-length:") + 15
            await self._reader.readexactly(int(lowered[start : lowered.index(b"\r\n", start)]))
        sample.total = time.perf_counter() - due
        return sample

    async def _chunked(self, reader: asyncio.StreamReader, sample: Sample, due: float) -> None:
        last, seen_token = 0.0, False
        while size := int(await reader.readuntil(b"\r\n"), 16):
            data = await reader.readexactly(size + 2)
            now = time.perf_counter() - due
            if not seen_token and _TOKEN in data:
                sample.first_token, seen_token = now, True
            elif seen_token:
                sample.gaps.append(now - last)
            last = now
        await reader.readexactly(2)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def run(
    host: str,
    port: int,
    requests: Callable[[int, int], bytes],
    *,
    concurrency: int,
    seconds: float,
    rate: float | None = None,
) -> Result:
    """Send `requests(slot, 0)`, `requests(slot, 1)`, … on each of `concurrency` connections for `seconds`."""
    result, counter = Result(), itertools.count()
    start = time.perf_counter()

    async def slot(number: int) -> None:
        connection, sent = _Connection(host, port), itertools.count()
        while (now := time.perf_counter()) - start < seconds:
            due = now if rate is None else start + next(counter) / rate
            if due > now:
                await asyncio.sleep(due - now)
            try:
                result.samples.append(
                    await asyncio.wait_for(connection.exchange(requests(number, next(sent)), due), 30)
                )
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                result.errors.append(f"{type(error).__name__}: {error}")
                connection.close()
        connection.close()

    await asyncio.gather(*(slot(number) for number in range(concurrency)))
    result.seconds = time.perf_counter() - start
    return result
