"""Microseconds of one exchange in the pure session, without Envoy, gRPC or disk.

    OMP_NUM_THREADS=1 python bench/session.py [--seconds 2]

The session is fed what Envoy would send, for a 1 KB Japanese prompt that differs every time: a whole answer, and a
stream of 60 chunks; with detection off, and on with the shipped detectors (its own cost is detection, see
bench/detect.py). Prints the median of five runs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT, ExchangeContext, PolicyRef, Prices, Target
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy

from dataplane.drivers.analyzer import Analyzer, load_scan
from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.exchange.limits import Limits
from dataplane.exchange.session import Session
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction

PROMPT = "お世話になっております。来週の打ち合わせの資料を確認したいので、要点を三つにまとめてください。" * 7
CHUNKS = 60
_CONTEXT = ExchangeContext(
    request_id="0198c5f0-0000-7000-8000-000000000000",
    tenant="acme",
    key_id="key-1",
    policy=PolicyRef(name="p", version="v"),
    client_dialect=DIALECT_OPENAI_CHAT,
    model_asked="m",
    chain=[Target(provider="a", model="m", dialect=DIALECT_OPENAI_CHAT, base_path="/v1", prices=Prices(version="v1"))],
)
_EXTRA = {f"x-header-{number}": b"value" for number in range(12)}
_HEADERS = {
    ":method": b"POST",
    ":path": b"/v1/chat/completions",
    "content-type": b"application/json",
    "x-envoy-attempt-count": b"1",
    "x-kagami-exchange": urlsafe_b64encode(_CONTEXT.SerializeToString()),
    **_EXTRA,
}


def _chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    frame = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [choice],
    }
    return b"data: " + orjson.dumps(frame) + b"\n\n"


def _answer(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 20}
    return orjson.dumps({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": usage})


def exchange_events(number: int, *, stream: bool) -> list[ev.Event]:
    """What Envoy sends for one exchange, its prompt different for every `number`; the policy is found after the first."""
    body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": f"{number} {PROMPT}"}]}
    start: list[ev.Event] = [ev.RequestHeaders(_HEADERS, "a"), ev.RequestBody(orjson.dumps(body))]
    if not stream:
        head = {":status": b"200", "content-type": b"application/json", **_EXTRA}
        return [
            *start,
            ev.ResponseHeaders(head),
            ev.ResponseBody(_answer(f"{number} {PROMPT}"), end=True),
            ev.StreamClosed(),
        ]
    head = {":status": b"200", "content-type": b"text/event-stream", **_EXTRA}
    pieces = [_chunk(PROMPT[at : at + 5]) for at in range(0, CHUNKS * 5, 5)]
    bodies = [ev.ResponseBody(piece, end=False) for piece in [*pieces, _chunk("", "stop"), b"data: [DONE]\n\n"]]
    return [*start, ev.ResponseHeaders(head), *bodies, ev.ResponseBody(b"", end=True), ev.StreamClosed()]


def _drive(session: Session, events: list[ev.Event]) -> None:
    for event in events:
        queue = list(session.receive(event, 1))
        while queue:
            effect = queue.pop()
            if isinstance(effect, ef.Append):
                queue += session.receive(ev.Appended(1, b"0" * 32), 1)
            elif isinstance(effect, ef.Work):
                queue += session.receive(ev.WorkDone(_run(effect.steps)), 1)


def _run(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def _microseconds(work: Callable[[int], None], seconds: float) -> float:
    rounds, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        work(rounds)
        rounds += 1
    return (time.perf_counter() - start) / rounds * 1e6


def exchange(analyzer: Analyzer, found: ev.PolicyFound, number: int, *, stream: bool) -> None:
    """One exchange from beginning to end, under the policy found."""
    session = Session(lambda policy, _: Redaction(policy, analyzer.scan), Limits())
    first, *rest = exchange_events(number, stream=stream)
    _drive(session, [first, found, *rest])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=2.0, help="per case")
    seconds = parser.parse_args().seconds
    analyzer = load_scan()
    print("| detection | answer | µs per exchange |")
    print("|---|---|---|")
    for enabled in (False, True):
        policy = Policy.compile(RedactionPolicy(name="p", version="v", enabled=enabled), b"k" * 32)
        found = ev.PolicyFound(policy)
        for stream in (False, True):
            work = partial(exchange, analyzer, found, stream=stream)
            median = statistics.median(_microseconds(work, seconds / 5) for _ in range(5))
            kind = f"stream, {CHUNKS} chunks" if stream else "whole"
            print(f"| {'on' if enabled else 'off'} | {kind} | {median:,.0f} |")


if __name__ == "__main__":
    main()
