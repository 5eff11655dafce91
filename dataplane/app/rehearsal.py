"""Exchanges that nobody asked for: a worker that waits awake has them, and the next request finds its caches filled.

Strategy: in turn, a text of our own through the finders, and now and then an exchange through the pure session and the
words it would be answered in, detection off. A step goes on for `STEP_SECONDS` or one finder, whichever is longer.
Nothing is sent, kept, counted or written; texts are ours, never a client's. What a scan gains is measured by
`python -m bench.cold`. Limit: what is rehearsed is a request of the usual kind; what a rare one needs stays cold.
"""

from __future__ import annotations

import itertools
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator, Iterator
from typing import Any

import orjson
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT, ExchangeContext, PolicyRef, Prices, Target
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy

from dataplane.app.rehearsal_texts import TEXTS
from dataplane.drivers.analyzer import Analyzer
from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.exchange.limits import Limits
from dataplane.exchange.session import Session
from dataplane.extproc import wire
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction

STEP_SECONDS = 0.000_05
# Texts between two exchanges: detection is most of what a request costs.
_TEXTS_PER_EXCHANGE = 4
_NAME = "rehearsal"
_FOUND = ev.PolicyFound(Policy.compile(RedactionPolicy(name=_NAME, version="0", enabled=False), bytes(32)))
_CONTEXT = ExchangeContext(
    request_id="00000000-0000-7000-8000-000000000000",
    tenant=_NAME,
    key_id=_NAME,
    policy=PolicyRef(name=_NAME, version="0"),
    client_dialect=DIALECT_OPENAI_CHAT,
    model_asked=_NAME,
    chain=[
        Target(provider=_NAME, model=_NAME, dialect=DIALECT_OPENAI_CHAT, base_path="/v1", prices=Prices(version="0"))
    ],
)
_REQUEST = {
    ":method": b"POST",
    ":path": b"/v1/chat/completions",
    "content-type": b"application/json",
    "x-kagami-exchange": urlsafe_b64encode(_CONTEXT.SerializeToString()),
}
_RESPONSE = {":status": b"200", "content-type": b"application/json"}


class Rehearsal:
    """Of one worker. `now`: seconds."""

    def __init__(self, analyzer: Analyzer, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._steps = _forever(analyzer)

    def step(self) -> None:
        """Go on for a moment. Raises what a finder or the session raises: neither should."""
        end = self._now() + STEP_SECONDS
        next(self._steps)
        while self._now() < end:
            next(self._steps)


def _forever(analyzer: Analyzer) -> Iterator[None]:
    for number, text in enumerate(itertools.cycle(TEXTS)):
        yield from analyzer.rehearse(text)
        if number % _TEXTS_PER_EXCHANGE == 0:
            yield from exchange(analyzer, text)


def exchange(analyzer: Analyzer, text: str) -> Iterator[None]:
    """An exchange in which both sides say `text`, given back after every event."""
    session = Session(lambda policy, _: Redaction(policy, analyzer.scan), Limits())
    for event in _events(text):
        queue = list(session.receive(event, 0))
        while queue:
            answer = _performed(queue.pop(0))
            if answer is not None:
                queue += session.receive(answer, 0)
        yield


def _events(text: str) -> Iterator[ev.Event]:
    yield ev.RequestHeaders(_REQUEST, _NAME)
    message = {"role": "user", "content": text}
    yield ev.RequestBody(orjson.dumps({"model": _NAME, "messages": [message], "stream": False}))
    yield ev.ResponseHeaders(_RESPONSE)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    yield ev.ResponseBody(orjson.dumps({"id": _NAME, "choices": [choice], "usage": usage}), end=True)
    yield ev.StreamClosed()


def _performed(effect: ef.Effect) -> ev.Event | None:
    """What the shell would do, but for what leaves a trace."""
    match effect:
        case ef.FindPolicy():
            return _FOUND
        case ef.Append():
            return ev.Appended(1, bytes(32)) if effect.answered else None
        case ef.Work():
            return ev.WorkDone(_result(effect.steps))
        case ef.SendRequest() | ef.SendHeaders() | ef.SendBody():
            wire.reply(effect).SerializeToString()
            return None
        case _:
            raise RuntimeError(f"the rehearsal went wrong: {type(effect).__name__}")


def _result(steps: Generator[None, None, Any]) -> object:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
