"""Everything dies at random while clients of every kind go on; afterwards the books of both sides are compared.

What a provider counted is in the simulator's record, what the gateway says it used in the audit chains; a provider call
and an attempt belong together by the SHA-256 of the request as sent. The schedule is a function of the seed; what is
under way when something dies is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, UNIT_REQUESTS, UNIT_TOTAL_TOKENS
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_WORKER_LOST, AuditEntry, Closed, Opened, Usage
from support.stack import Stack

from controlplane.domain.reservation import Hold, decode
from controlplane.simulator.request import tokens

ANSWER = "見積もりの要点は三つあります。まず費用、次に納期、最後に体制です。" * 3
"""A token per character for the simulator, and no personal data: what arrives can be counted."""
KINDS = {
    "whole": 30, "stream": 25, "stream left early": 15, "left before the answer": 8, "provider refuses": 7,
    "provider resets a stream": 6, "provider closes a stream": 5, "provider errs in a stream": 4,
}  # fmt: skip
_CHUNK = 4
_FAULTS = {
    "provider refuses": {"status": 503},
    "provider resets a stream": {"reset_after": 9},
    "provider closes a stream": {"close_after": 9},
    "provider errs in a stream": {"error_after": 9},
    "left before the answer": {"delay_ms": 400},
}


@dataclass
class Clients:
    """Closed loops of requests, each of a kind drawn at random; a key that is refused ten times is not used again."""

    url: str
    model: str
    keys: list[str]
    spare: str
    """For every other request, and when all others are used up."""
    seed: int
    answers: Counter[str] = field(default_factory=Counter)
    """By status and, where it is not 200, error code; "left", when that was
    the client's own doing, and "cut" when it was not."""
    _refused: Counter[str] = field(default_factory=Counter)
    _sent: int = 0

    async def run(self, seconds: float, concurrency: int = 10) -> None:
        """Load for so long; every request under way is carried to its end."""
        until = time.monotonic() + seconds
        limits = httpx.Limits(max_connections=concurrency)
        async with httpx.AsyncClient(timeout=30, limits=limits, trust_env=False) as http:
            await asyncio.gather(*(self._loop(http, until) for _ in range(concurrency)))

    async def _loop(self, http: httpx.AsyncClient, until: float) -> None:
        while time.monotonic() < until:
            self._sent += 1
            chance = random.Random(self.seed * 1_000_003 + self._sent)
            kind = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
            key = self.keys[0] if self.keys and self._sent % 2 else self.spare
            answer = await self._one(http, kind, key, self._sent)
            self.answers[answer] += 1
            if answer.startswith("429"):
                self._refused[key] += 1
                if self._refused[key] == 10 and key in self.keys:
                    self.keys.remove(key)
            if answer.startswith("503"):
                await asyncio.sleep(0.02)  # as clients back off

    async def _one(self, http: httpx.AsyncClient, kind: str, key: str, number: int) -> str:
        stream = "stream" in kind
        behaviour = {"content": ANSWER, "chunk_chars": _CHUNK, "interval_ms": 10} | _FAULTS.get(kind, {})
        body = {
            "model": self.model, "stream": stream, "max_tokens": len(ANSWER), "sim": behaviour,
            "messages": [{"role": "user", "content": f"第{number:06d}号の要約"}],
        }  # fmt: skip
        request = http.build_request(
            "POST", f"{self.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"},
            timeout=0.2 if kind == "left before the answer" else 30,
        )  # fmt: skip
        try:
            return await _answer(await http.send(request, stream=True), leave="left early" in kind)
        except httpx.TransportError:
            return "left" if "left" in kind else "cut"


async def _answer(reply: httpx.Response, *, leave: bool) -> str:
    pieces = []
    try:
        async for piece in reply.aiter_bytes():
            pieces.append(piece)
            if leave and len(pieces) == 5:
                return "left"
    finally:
        await reply.aclose()
    code = "" if reply.status_code == 200 else json.loads(b"".join(pieces))["error"]["code"]
    return f"{reply.status_code} {code}".strip()


async def havoc(stack: Stack, seconds: float, seed: int) -> Counter[str]:
    """Kill something every second or two; the number of deaths by name."""
    chance, deaths, until = random.Random(seed), Counter[str](), time.monotonic() + seconds
    deck: list[str] = []
    while time.monotonic() < until:
        if not deck:
            deck = ["controlplane-0", "controlplane-1", "worker", "worker", "postgres"]
            chance.shuffle(deck)
        await asyncio.sleep(chance.uniform(0.8, 2.2))
        name, number = deck.pop(), signal.SIGKILL
        if name.startswith("controlplane") and not _settled(stack, name) and chance.random() < 0.8:
            deck.insert(0, name)  # with no control plane at all there is no load to speak of
            continue
        if name == "postgres" and chance.random() < 0.5:
            number = signal.SIGINT  # its fast shutdown
        # What died a moment ago may not be back.
        with contextlib.suppress(AssertionError, psutil.Error, IndexError):
            victim = chance.choice(stack.workers()) if name == "worker" else stack.child(name)
            victim.send_signal(number)
            deaths[name] += 1
    return deaths


def _settled(stack: Stack, name: str) -> bool:
    """Whether the other control plane has been up for a while."""
    other = {"controlplane-0": "controlplane-1", "controlplane-1": "controlplane-0"}[name]
    with contextlib.suppress(AssertionError, psutil.Error):
        return time.time() - stack.child(other).create_time() > 4
    return False


@dataclass
class Attempt:
    """One attempt as the chains tell it."""

    opened: Opened | None = None
    closed: Closed | None = None


@dataclass
class Request:
    """One request as the chains tell it."""

    tenant: str = ""
    reservation: str = ""
    extensions: set[tuple[str, str]] = field(default_factory=set)
    """Id and reservation of each."""
    attempts: dict[tuple[int, str], Attempt] = field(default_factory=dict)


def requests(stack: Stack) -> dict[str, Request]:
    """Everything in the audit chains."""
    from kagamipb.admin.v1.admin_pb2 import ExportRequest

    found: dict[str, Request] = {}
    with stack.admin() as stub:
        for frame in stub.ExportChains(ExportRequest(), timeout=60):
            entry = AuditEntry.FromString(frame.entry)
            kind = entry.WhichOneof("event")
            if kind not in {"admitted", "opened", "closed", "extended"}:
                continue
            event, request = getattr(entry, kind), found.setdefault(entry.request_id, Request())
            request.tenant = request.tenant or event.tenant
            request.reservation = request.reservation or event.reservation_id
            extensions = [event.extension] if kind == "extended" else event.extensions if kind == "closed" else ()
            request.extensions |= {(one.id, one.reservation_id) for one in extensions if one.reservation_id}
            if kind in {"opened", "closed"}:
                setattr(request.attempts.setdefault((event.attempt, frame.writer), Attempt()), kind, event)
    return found


class Provider:
    """The provider's side: what it counted for each request it got."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self.calls = list(records)
        self._by_hash = {hashlib.sha256(call["body"].encode()).digest(): call for call in self.calls}
        assert len(self._by_hash) == len(self.calls)

    @property
    def hashes(self) -> set[bytes]:
        """What it was sent."""
        return set(self._by_hash)

    def counted(self, request: Request, unit: int) -> int:
        """The use it knows of, told or not, for all attempts of a request."""
        calls = filter(None, map(self.call, request.attempts.values()))
        return sum(amount(unit, call["usage"]["prompt_tokens"], produced(call)) for call in calls if call["usage"])

    def call(self, attempt: Attempt) -> Mapping[str, Any] | None:
        """What an attempt's request became; None when the provider never saw it."""
        return self._by_hash.get(attempt.opened.request_sent_sha256) if attempt.opened else None

    def told(self, unit: int, attempt: Attempt) -> int:
        """What it counted for an attempt, if the gateway says it heard of it."""
        if attempt.closed is None or not attempt.closed.usage.reported:
            return 0
        call = self.call(attempt)
        assert call is not None
        return amount(unit, call["usage"]["prompt_tokens"], call["usage"]["completion_tokens"])


def produced(call: Mapping[str, Any]) -> int:
    """Tokens a provider put out: all, or of a stream (whose first event says nothing) as many as it sent."""
    said: int = call["usage"]["completion_tokens"]
    return min(said, tokens(ANSWER[: _CHUNK * max(0, call["events"] - 1)])) if call["stream"] else said


def amount(unit: int, given: int, output: int) -> int:
    """At 2.50 and 10 dollars per million tokens."""
    return {UNIT_MICRO_USD: -(-given * 5 // 2) + output * 10, UNIT_TOTAL_TOKENS: given + output, UNIT_REQUESTS: 1}[unit]


def charge(request: Request, hold: Hold, provider: Provider) -> int:
    """What a request has to be charged: its use, and its whole hold where nobody will ever know."""
    attempts = request.attempts.values()
    if hold.unit == UNIT_REQUESTS:
        return 1 if any(a.opened or (a.closed and a.closed.provider_status) for a in attempts) else 0
    told = sum(provider.told(hold.unit, attempt) for attempt in attempts)
    ends = [attempt.closed for attempt in attempts if attempt.closed]
    lost = any(a.opened and a.closed and a.closed.outcome == OUTCOME_WORKER_LOST for a in attempts)
    guesses = [end.usage for end in ends if not end.usage.reported and end.usage != Usage()]
    guessed = sum(amount(hold.unit, guess.input_tokens, guess.output_tokens) for guess in guesses)
    return max(told, held(request, hold) if lost else min(told + guessed, held(request, hold)))


def held(request: Request, hold: Hold) -> int:
    """A hold with what it was extended by."""
    extended = [other for _, text in request.extensions for other in decode(text).holds]
    return hold.amount + sum(other.amount for other in extended if other.key == hold.key)


def charges(found: Mapping[str, Request], provider: Provider) -> Counter[tuple[str, int]]:
    """What the quota of a tenant (one for each unit) has to have settled."""
    totals = Counter[tuple[str, int]]()
    for request, hold in holds(found.values()):
        totals[request.tenant, hold.unit] += charge(request, hold, provider)
    return totals


def holds(found: Iterable[Request]) -> Iterator[tuple[Request, Hold]]:
    """Every hold of every request."""
    for request in found:
        if request.reservation:
            for hold in decode(request.reservation).holds:
                yield request, hold
