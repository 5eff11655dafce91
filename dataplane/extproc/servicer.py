"""One ext_proc stream: messages in, session, replies out. Knows neither gRPC nor where anything is stored.

Guarantees: one reply per message, in order; only a refusal may come at any time, for it ends the request. A request's
headers are answered before they are looked at, with nothing but the wish for their body: they go nowhere before the
reply to it. The stream is never ended early without an error, for Envoy would let the rest pass unredacted (observed
with Envoy 1.40, even with failure_mode_allow false); whatever ends it, the attempt is settled in `finally`. Long work
gives the event loop back after every slice (see `pace`); Envoy is asked for more time before its own runs out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.exchange.session import Session
from dataplane.extproc import wire
from dataplane.extproc.pace import Finished, Pace

T = TypeVar("T")
Send = Callable[[wire.ProcessingResponse], Awaitable[None]]
Messages = AsyncIterator[wire.ProcessingRequest]


class StreamAborted(Exception):  # noqa: N818 -- tells the transport to end the stream with an error
    """The stream must end with an error; the reason is safe to show."""


class Position(Protocol):
    """Where an entry lies."""

    @property
    def seq(self) -> int:
        """Its number."""

    @property
    def link(self) -> bytes:
        """Its chain link."""


class Journal(Protocol):
    """What the servicer needs of the audit journal. Any method may raise when an entry cannot be kept."""

    def append(self, entry: bytes) -> Position:
        """Keep an entry."""

    async def durable(self, seq: int, *, here: bool = False) -> None:
        """Wait until it is on the disk; `here`: in this thread, if that is quick."""

    def hold(self, seq: int) -> None:
        """This entry opens something that has not ended: a successor must find it."""

    def release(self, seq: int) -> None:
        """It has ended."""


class Policies(Protocol):
    """Where policies come from."""

    async def find(self, name: str, version: str) -> ev.PolicyFound:
        """The policy, waiting a moment for one that is on its way."""


class Budget(Protocol):
    """Where streams that outgrow their reservation get more."""

    async def extend(self, asked: ef.AskMore) -> ev.MoreAnswered:
        """Ask; a failure is a refusal. Never raises."""


class NoBudget:
    """Nobody to ask: nothing is granted."""

    async def extend(self, asked: ef.AskMore) -> ev.MoreAnswered:
        """See Budget."""
        del asked
        return ev.MoreAnswered()


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. Envoy's own message_timeout must be longer than `patience`."""

    patience: float = 0.5
    """Work that takes longer asks Envoy for more time."""
    longest: float = 30.0
    """Work that takes longer fails; Envoy's max_message_timeout must be longer."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a stream needs from its process."""

    new_session: Callable[[], Session]
    journal: Journal
    policies: Policies
    now: Callable[[], int]
    """Unix microseconds."""
    report: Callable[[Exception, str], None]
    """Told of faults: the exception and the request id."""
    pace: Pace
    timing: Timing = Timing()
    budget: Budget = field(default_factory=NoBudget)


async def process(messages: Messages, send: Send, provider: str, services: Services) -> None:
    """Run one stream to its end. Raises StreamAborted when it must not end cleanly."""
    stream = _Stream(send, services)
    services.pace.streams += 1
    try:
        async for message in messages:
            if wire.awaits_body(message):
                # It comes while the headers are read.
                await send(wire.CONTINUE)
            await stream.take(wire.event(message, provider))
    except (StreamAborted, asyncio.CancelledError):
        raise
    except Exception as error:  # noqa: BLE001 -- a clean end would let the rest pass unredacted
        services.report(error, stream.session.request_id)
        raise StreamAborted("the exchange failed") from None
    finally:
        services.pace.streams -= 1
        stream.settle()


class _Stream:
    """The state of one stream outside its session."""

    def __init__(self, send: Send, services: Services) -> None:
        self._send, self._services = send, services
        self.session = services.new_session()
        self._asked_for_time = False
        self._held: int | None = None
        self._asking: asyncio.Task[None] | None = None
        self._more: asyncio.Task[ev.MoreAnswered] | None = None

    async def take(self, event: ev.Event) -> None:
        """Everything an event leads to, until Envoy has its reply."""
        self._asked_for_time = False
        queue = []
        if self._more is not None and self._more.done():
            more, self._more = self._more.result(), None
            queue += self.session.receive(more, self._services.now())
        queue += self.session.receive(event, self._services.now())
        while queue:
            answer = await self._perform(queue.pop(0))
            if answer is not None:
                queue += self.session.receive(answer, self._services.now())

    def settle(self) -> None:
        """Envoy is gone: write what is still owed. Nothing to wait for, nobody to answer."""
        if self._more is not None:
            # What it would have been granted is freed by the record of who grants it.
            self._more.cancel()
        for effect in self.session.receive(ev.StreamClosed(), self._services.now()):
            if isinstance(effect, ef.Append):
                try:
                    self._services.journal.append(effect.entry)
                except Exception as error:  # noqa: BLE001 -- the journal is broken; its owner must hear of it
                    self._services.report(error, self.session.request_id)
        if self._held is not None:
            self._services.journal.release(self._held)

    async def _perform(self, effect: ef.Effect) -> ev.Event | None:
        match effect:
            case ef.Append():
                return await self._append(effect)
            case ef.Work():
                return await self._work(effect.steps)
            case ef.AskMore():
                self._more = asyncio.create_task(self._services.budget.extend(effect))
            case ef.AwaitMore():
                return await self._await_more()
            case ef.FindPolicy():
                return await self._patiently(self._services.policies.find(effect.name, effect.version))
            case ef.Abort():
                raise StreamAborted(effect.reason)
            case ef.Report():
                self._services.report(effect.error, self.session.request_id)
            case _:
                await self._send(wire.reply(effect))
        return None

    async def _await_more(self) -> ev.Event:
        assert self._more is not None
        more = await self._patiently(self._more)
        self._more = None
        return more

    async def _append(self, effect: ef.Append) -> ev.Event | None:
        journal = self._services.journal
        try:
            position = journal.append(effect.entry)
            if effect.opens:
                self._held = position.seq
                journal.hold(position.seq)
            if effect.durable:
                await self._patiently(journal.durable(position.seq, here=self._services.pace.few))
        except Exception as error:  # noqa: BLE001 -- however the journal fails, the session decides what follows
            self._services.report(error, self.session.request_id)
            return ev.AppendFailed() if effect.answered else None
        return ev.Appended(position.seq, position.link) if effect.answered else None

    async def _work(self, steps: Generator[None, None, Any]) -> ev.Event:
        """Run in slices, so that other streams go on; give up after `timing.longest`."""
        loop, timing = asyncio.get_running_loop(), self._services.timing
        start = loop.time()
        try:
            while loop.time() - start < timing.longest:
                await self._services.pace.slice(steps)
                if loop.time() - start > timing.patience:
                    await self._ask_for_time()
        except Finished as done:
            return ev.WorkDone(done.value)
        except Exception as error:  # noqa: BLE001 -- detectors may fail in any way; the session fails closed
            return ev.WorkFailed(error)
        steps.close()
        return ev.WorkFailed(TimeoutError("work took too long"))

    async def _patiently(self, waiting: Awaitable[T]) -> T:
        """Wait for something, asking Envoy for more time when it takes long."""
        timer = asyncio.get_running_loop().call_later(self._services.timing.patience, self._start_asking)
        try:
            return await waiting
        finally:
            timer.cancel()
            if self._asking is not None:
                asking, self._asking = self._asking, None
                await asking

    def _start_asking(self) -> None:
        self._asking = asyncio.create_task(self._ask_for_time())

    async def _ask_for_time(self) -> None:
        """Once per message: Envoy takes no second extension for the same one."""
        if not self._asked_for_time:
            self._asked_for_time = True
            await self._send(wire.extend_timeout(self._services.timing.longest))
