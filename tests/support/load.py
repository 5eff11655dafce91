"""Steady load on a gateway from an asyncio task: what became of every request."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import httpx


class Result(NamedTuple):
    """Status 0 = no answer."""

    status: int
    code: str
    request_id: str


class Load:
    """Keeps `concurrency` requests in flight until stopped."""

    def __init__(self, url: str, key: str, body: Callable[[int], dict[str, Any]], concurrency: int = 8) -> None:
        self._url, self._headers, self._body = url, {"authorization": f"Bearer {key}"}, body
        self._numbers = itertools.count()
        self._concurrency = concurrency
        self._stopping = False
        self.results: list[Result] = []

    async def _one(self, client: httpx.AsyncClient) -> Result:
        try:
            reply = await client.post(f"{self._url}/v1/chat/completions", json=self._body(next(self._numbers)))
        except httpx.TransportError as error:
            return Result(0, type(error).__name__, "")
        code = "" if reply.status_code == 200 else str(reply.json()["error"]["code"])
        return Result(reply.status_code, code, reply.headers.get("x-kagami-request-id", ""))

    async def _run(self, client: httpx.AsyncClient) -> None:
        while not self._stopping:
            self.results.append(await self._one(client))

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.status != 200]

    def outcomes(self) -> Counter[tuple[int, str]]:
        return Counter((result.status, result.code) for result in self.results)

    async def more(self, count: int) -> None:
        """Until so many more requests were answered."""
        wanted = len(self.results) + count
        while len(self.results) < wanted:
            await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        limits = httpx.Limits(max_connections=self._concurrency)
        async with httpx.AsyncClient(headers=self._headers, timeout=30, limits=limits, trust_env=False) as client:
            tasks = [asyncio.create_task(self._run(client)) for _ in range(self._concurrency)]
            try:
                yield self
            finally:
                self._stopping = True
                await asyncio.gather(*tasks)
