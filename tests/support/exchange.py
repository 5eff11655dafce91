"""Decisions, headers and a driver for exchanges without a network."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import orjson
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT, ExchangeContext, PolicyRef, Prices, Target
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry
from support.playbook import run
from support.redactor import policy, scan

from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.exchange.limits import Limits
from dataplane.exchange.session import Session
from dataplane.redaction.replace import Redaction

LINK = bytes(range(32))
PRICES = Prices(
    version="v7",
    input_pico_usd_per_token=10,
    cached_input_pico_usd_per_token=1,
    output_pico_usd_per_token=100,
    reasoning_pico_usd_per_token=200,
    request_pico_usd=5,
)


def context(providers: str = "ab", **more: Any) -> ExchangeContext:
    chain = [
        Target(provider=p, model=f"model-{p}", dialect=DIALECT_OPENAI_CHAT, base_path="/v1", prices=PRICES)
        for p in providers
    ]
    fields: dict[str, Any] = {
        "request_id": "r-1",
        "tenant": "acme",
        "key_id": "k-1",
        "policy": PolicyRef(name="p", version="v"),
        "client_dialect": DIALECT_OPENAI_CHAT,
        "model_asked": "m",
        "chain": chain,
        "reservation_id": "res-1",
        "route_reason": "cost",
    }
    return ExchangeContext(**{**fields, **more})


def encoded(decision: ExchangeContext) -> bytes:
    return urlsafe_b64encode(decision.SerializeToString()).rstrip(b"=")


def request_headers(
    decision: ExchangeContext | None = None, *, attempt: int = 1, provider: str = "", **more: bytes
) -> ev.RequestHeaders:
    made = decision or context()
    headers = {
        ":method": b"POST",
        ":path": b"/v1/chat/completions",
        "content-type": b"application/json",
        "x-kagami-exchange": encoded(made),
        "x-envoy-attempt-count": str(attempt).encode(),
        **more,
    }
    return ev.RequestHeaders(headers, provider or made.chain[attempt - 1].provider)


def request_body(text: str = "やあ", **fields: Any) -> ev.RequestBody:
    return ev.RequestBody(orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **fields}))


def response_headers(status: int = 200, kind: str = "application/json", **more: bytes) -> ev.ResponseHeaders:
    return ev.ResponseHeaders({":status": str(status).encode(), "content-type": kind.encode(), **more})


def stream_headers() -> ev.ResponseHeaders:
    return response_headers(kind="text/event-stream")


def session(limits: Limits = Limits(), detector: Any = scan) -> Session:
    return Session(lambda policy, tenant: Redaction(policy, detector), limits)


def entry(append: ef.Append) -> AuditEntry:
    return AuditEntry.FromString(append.entry)


class Driver:
    """Plays the shell: answers every effect at once and keeps what Envoy and the journal were told."""

    def __init__(self, started: Session | None = None, *, fail_appends: bool = False, **policy_fields: Any) -> None:
        self.session = started or session()
        self.found = ev.PolicyFound(policy(**policy_fields))
        self.fail_appends = fail_appends
        self.entries: list[AuditEntry] = []
        self.sent: list[ef.Effect] = []
        self.reports: list[Exception] = []
        self.grant: Callable[[ef.AskMore], int] = lambda asked: 0
        """Output tokens granted for a question."""
        self.asked: list[ef.AskMore] = []
        self._more: ev.MoreAnswered | None = None

    def take(self, *events: ev.Event) -> Driver:
        for event in events:
            more, self._more = self._more, None
            queue = list(self.session.receive(more, 1_000)) if more else []
            queue += self.session.receive(event, 1_000)
            while queue:
                answer = self._perform(queue.pop(0))
                if answer is not None:
                    queue += self.session.receive(answer, 2_000)
        return self

    def _perform(self, effect: ef.Effect) -> ev.Event | None:
        match effect:
            case ef.FindPolicy():
                return self.found
            case ef.Work():
                return run(effect)
            case ef.Append():
                if self.fail_appends:
                    return ev.AppendFailed()
                self.entries.append(entry(effect))
                return ev.Appended(len(self.entries), LINK) if effect.answered else None
            case ef.AskMore():
                self.asked.append(effect)
                tokens, number = self.grant(effect), len(self.asked)
                self._more = ev.MoreAnswered(tokens, f"e{number}", f"more-{number}") if tokens else ev.MoreAnswered()
            case ef.AwaitMore():
                more, self._more = self._more, None
                return more
            case ef.Report():
                self.reports.append(effect.error)
            case _:
                self.sent.append(effect)
        return None

    @property
    def body(self) -> bytes:
        """What the client got so far."""
        return b"".join(effect.data for effect in self.sent if isinstance(effect, ef.SendBody))

    @property
    def reply(self) -> ef.Reply:
        [found] = [effect for effect in self.sent if isinstance(effect, ef.Reply)]
        return found

    @property
    def closed(self) -> Any:
        [found] = [e.closed for e in self.entries if e.WhichOneof("event") == "closed"]
        return found

    def called(self, text: str = "やあ", decision: ExchangeContext | None = None, **fields: Any) -> Driver:
        """Up to the call of the provider."""
        return self.take(request_headers(decision), request_body(text, **fields))
