"""The port between the simulated provider and its transports: one request in, one steerable reply out.

A transport calls a handler once per request, as a task, and cancels that task at the moment it learns that
the client is gone. Everything a `Reply` does after that has no effect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole request. `protocol` is "http/1.1" or "h2"; pseudo-headers are not among the headers."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    protocol: str


class Reply(Protocol):
    """What a handler can do to a response, orderly or not."""

    def start(self, status: int, headers: Headers, length: int | None) -> None:
        """Send the head; `length` None means unknown (chunked on HTTP/1.1)."""

    def send(self, data: bytes) -> None:
        """Send a piece of the body as one write; waits for nobody."""

    async def drain(self) -> None:
        """Wait until little is left unsent."""

    def end(self) -> None:
        """Finish the body in order; the connection stays usable."""

    def reset(self) -> None:
        """TCP RST, or RST_STREAM(INTERNAL_ERROR) on HTTP/2."""

    def close(self) -> None:
        """Close the connection as if finished, whatever was promised."""

    def garbage(self, data: bytes) -> None:
        """Bytes that are not HTTP, then close."""


Handler = Callable[[Arrived, Reply], Awaitable[None]]
