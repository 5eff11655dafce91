"""What the simulated provider received and how each exchange ended: the proof of what left the gateway.

A bounded ring (count and bytes); totals go on counting when old records have been dropped. Times are Unix
seconds.
"""

from __future__ import annotations

import base64
from collections import deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Record:
    """One request as it arrived, and what became of it."""

    number: int
    at: float
    provider: str
    protocol: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    model: str = ""
    stream: bool = False
    status: int = 0
    events: int = 0
    """Stream events written so far."""
    usage: dict[str, Any] = field(default_factory=dict)
    outcome: str = "open"
    """"open", "completed", "cancelled" (the client went away), or "fault" (ended as ordered)."""
    ended_at: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For `GET /_sim/records`; a body that is not UTF-8 is given as base64."""
        try:
            text: dict[str, str] = {"body": self.body.decode()}
        except UnicodeDecodeError:
            text = {"body_base64": base64.b64encode(self.body).decode()}
        names = ("number", "at", "provider", "protocol", "method", "path", "headers", "model", "stream")
        ends = ("status", "events", "usage", "outcome", "ended_at")
        return {name: getattr(self, name) for name in names} | text | {n: getattr(self, n) for n in ends}


@dataclass(slots=True)
class Totals:
    """Everything since the start or the last clearing, per provider."""

    requests: int = 0
    completed: int = 0
    cancelled: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Ring:
    """The newest records, at most `records` of them and `max_bytes` of bodies."""

    def __init__(self, records: int, max_bytes: int) -> None:
        self._records: deque[Record] = deque()
        self._limit, self._max_bytes, self._bytes = records, max_bytes, 0
        self._count = 0
        self.totals: dict[str, Totals] = {}

    def next_number(self) -> int:
        """Number of the next record, from 1."""
        self._count += 1
        return self._count

    def add(self, record: Record) -> None:
        """Keep a record, dropping the oldest where the limits demand it."""
        self._records.append(record)
        self._bytes += len(record.body)
        self.totals.setdefault(record.provider, Totals()).requests += 1
        while len(self._records) > self._limit or (self._bytes > self._max_bytes and len(self._records) > 1):
            self._bytes -= len(self._records.popleft().body)

    def end(self, record: Record, outcome: str, at: float) -> None:
        """Note how an exchange ended; only the first call for a record counts."""
        if record.outcome != "open":
            return
        record.outcome, record.ended_at = outcome, at
        totals = self.totals.setdefault(record.provider, Totals())
        totals.completed += outcome == "completed"
        totals.cancelled += outcome == "cancelled"
        if outcome == "completed":
            totals.prompt_tokens += record.usage.get("prompt_tokens", 0)
            totals.completion_tokens += record.usage.get("completion_tokens", 0)

    def since(self, number: int, limit: int) -> list[Record]:
        """Records after `number`, oldest first."""
        return [r for r in self._records if r.number > number][:limit]

    def clear(self) -> None:
        """Forget records and totals; numbers go on."""
        self._records.clear()
        self._bytes = 0
        self.totals.clear()
