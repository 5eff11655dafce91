"""One attempt of one exchange: what happened comes in, what to do goes out.

Strategy: `receive` looks (state, event) up in `states.TABLE`, lets the handler of the event decide, and checks that
the state it chose is one the table allows. Every error of every handler ends in `_fail`, the one place that turns it
into an audit entry and an answer for the client.
Guarantees: no provider is called before `Opened` is in the journal; the last bytes of an answer wait until `Closed`
is durable; an attempt has at most one `Closed`; after a fault nothing of the provider's passes.
A stream is metered against what its reservation pays for (see `meter`); one that outgrows it and gets no more is cut:
what was held back is flushed, the client's answer ends in its dialect, and at the provider's next message the call is
broken off.
Limits: an upstream that is reset after its headers came looks like a client that left, for Envoy ends the stream the
same way. Response trailers that arrive before the answer is complete break the exchange off.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, ClassVar

from kagamipb.ledger.v1.ledger_pb2 import Outcome, Usage

from dataplane.dialects.model import Dialect
from dataplane.dialects.registry import DEFAULT
from dataplane.errors import AuditUnavailable, BudgetUsedUp, InvalidRequest, RedactionUnavailable
from dataplane.exchange import context, entries
from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.exchange.context import Attempt
from dataplane.exchange.failure import failure_of, reply
from dataplane.exchange.growth import Growth
from dataplane.exchange.inbound import Inbound, status_of, unanswered
from dataplane.exchange.limits import Limits
from dataplane.exchange.outbound import MakeRedaction, Outbound
from dataplane.exchange.relay import Piece
from dataplane.exchange.states import ExchangeFault, State, following
from dataplane.exchange.usage import cost_pico_usd
from dataplane.exchange.verdict import unreached
from dataplane.sse.encode import comment

Effects = list[ef.Effect]

_SETTLED = frozenset({State.CLOSING, State.REFUSING, State.BREAKING, State.BROKEN, State.DONE})
_SCANNING = frozenset({State.SCANNING, State.STREAMING, State.WHOLE})
_ANSWERING = frozenset({State.STREAMING, State.WHOLE, State.REFUSAL})


class Session:
    """See the module. One instance per ext_proc stream; `now` is Unix time in microseconds."""

    def __init__(self, make_redaction: MakeRedaction, limits: Limits) -> None:
        self._make_redaction, self._limits = make_redaction, limits
        self._state = State.START
        self._started = self._first_byte = self._provider_status = 0
        self._attempt: Attempt | None = None
        self._outbound: Outbound | None = None
        self._inbound: Inbound | None = None
        self._last: ef.SendBody | ef.Reply = ef.SendBody(b"")
        self._shown, self._growth = b"", Growth()
        self._settled = False

    @property
    def state(self) -> State:
        """Where the exchange stands."""
        return self._state

    @property
    def request_id(self) -> str:
        """Empty until the decision has been read."""
        return self._attempt.context.request_id if self._attempt else ""

    def receive(self, event: ev.Event, now: int) -> Effects:
        """Take one event, return what to do about it, in order."""
        try:
            allowed = following(self._state, event)
            effects = self._HANDLERS[type(event)](self, event, now)
        except ExchangeFault as fault:
            effects = [ef.Report(fault), *self._close(now, Outcome.OUTCOME_GATEWAY_ERROR, final=True)]
            self._state = State.DONE
            return [*effects, ef.Abort("fault")]
        except Exception as error:  # noqa: BLE001 -- whatever went wrong, this is the one place that answers it
            effects = self._fail(error, now)
        assert self._state in allowed, f"{type(event).__name__} led to {self._state.name}"
        return effects

    def _on_request_headers(self, event: ev.RequestHeaders, now: int) -> Effects:
        self._started = now
        self._attempt = context.read(event.headers, event.provider)
        self._outbound = Outbound(self._attempt, event.headers, self._make_redaction)
        if event.end:
            raise InvalidRequest("The request needs a body.")
        self._state = State.POLICY
        policy = self._attempt.context.policy
        return [ef.FindPolicy(policy.name, policy.version)]

    def _on_policy(self, event: ev.PolicyFound, now: int) -> Effects:
        del now
        if event.policy is None:
            raise RedactionUnavailable("The redaction policy of this request is not available. Try again shortly.")
        self._out.adopt(event)
        self._state = State.BODY
        return []

    def _on_request_body(self, event: ev.RequestBody, now: int) -> Effects:
        if self._state is State.DONE:
            # Refused by its headers; the body was on its way.
            return []
        self._state = State.SCANNING
        return self._work(self._out.steps(event.data), len(event.data), now)

    def _on_response_headers(self, event: ev.ResponseHeaders, now: int) -> Effects:
        if event.local:
            raise unreached(event.local)
        self._first_byte = now
        self._provider_status = status_of(event)
        self._inbound = Inbound(self._out, event, self._limits)
        self._state = State[self._inbound.verdict.name]
        if event.end:
            return self._work(self._inbound.steps(b"", end=True), 0, now)
        return [self._inbound.head()]

    def _on_response_body(self, event: ev.ResponseBody, now: int) -> Effects:
        if self._state is State.BROKEN and not event.end:
            return [ef.Abort("the answer was broken off")]
        if self._state in _SETTLED:
            return [ef.SendBody(b"")]
        return self._work(self._in.steps(event.data, end=event.end), len(event.data), now)

    def _on_trailers(self, event: ev.ResponseTrailers, now: int) -> Effects:
        if self._state is State.DONE:
            return [ef.DropTrailers(event.names)]
        effects = self._close(now, Outcome.OUTCOME_PROVIDER_RESET, final=True)
        self._state = State.BROKEN
        return [*effects, ef.Abort("trailers before the end of the answer")]

    def _work(self, steps: Generator[None, None, Any], size: int, now: int) -> Effects:
        """Small pieces are worked on here and now; larger ones by the shell, in steps."""
        if size > self._limits.inline_bytes:
            return [ef.Work(steps)]
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return self._worked(done.value, now)

    def _on_work_done(self, event: ev.WorkDone, now: int) -> Effects:
        return self._worked(event.result, now)

    def _on_work_failed(self, event: ev.WorkFailed, now: int) -> Effects:
        return self._fail(event.error, now)

    def _worked(self, result: object, now: int) -> Effects:
        if self._state is State.SCANNING:
            entry = self._out.opened(now)
            self._state = State.OPENING
            return [ef.Append(entry, durable=False, opens=True)]
        assert isinstance(result, Piece)
        data, self._shown = self._shown + result.data, b""
        if result.last:
            self._last = ef.SendBody(data)
            return self._finish(now)
        asked = self._growth.ask(self._in.meter, self._out.attempt)
        if not result.starved:
            return [*asked, ef.SendBody(data)]
        self._shown, self._growth.waiting = data, self._in.meter.asking
        return [*asked, ef.AwaitMore()] if self._growth.waiting else self._cut(now)

    def _finish(self, now: int) -> Effects:
        code = "output_limit_ignored" if self._in.beyond_limit else ""
        effects = self._close(now, Outcome.OUTCOME_COMPLETED, final=True, client_status=200, code=code, durable=True)
        self._state = State.CLOSING
        return effects

    def _on_more(self, event: ev.MoreAnswered, now: int) -> Effects:
        if self._state is not State.STREAMING:
            return []
        effects = self._growth.take(event, self._in.meter, self._out.attempt, now)
        if self._growth.waiting:
            self._growth.waiting = False
            effects.append(ef.Work(self._in.steps(b"", end=False)))
        return effects

    def _cut(self, now: int) -> Effects:
        """The budget is used up: what waits in the relay is never shown."""
        error = BudgetUsedUp("The budget of this request is used up.")
        said = self._in.cut(error=self._dialect.error_event(error) if self._out.cut_with_error else b"")
        self._last, self._shown = ef.SendBody(self._shown + said), b""
        cut = Outcome.OUTCOME_QUOTA_CUT
        effects = self._close(now, cut, final=True, client_status=200, code=error.code, durable=True)
        self._state = State.BREAKING
        return effects

    def _on_appended(self, event: ev.Appended, now: int) -> Effects:
        del now
        if self._state is State.OPENING:
            self._state = State.CALLING
            return [self._out.send()]
        if self._state is State.DONE:
            return []
        self._state = State.BROKEN if self._state is State.BREAKING else State.DONE
        if isinstance(self._last, ef.Reply):
            return [self._last]
        return [self._stamped(self._last.data, f"seq={event.seq} link={event.link.hex()}")]

    def _stamped(self, data: bytes, stamp: str) -> ef.SendBody:
        """The last bytes with the place of their audit entry: a comment in a stream, a header of a whole answer."""
        if self._in.streaming:
            return ef.SendBody(data + comment(f"kagami {stamp}"))
        return ef.SendBody(data, {"x-kagami-audit": stamp})

    def _on_append_failed(self, event: ev.AppendFailed, now: int) -> Effects:
        """Without its entry an exchange goes no further; an error needs none to be told."""
        del event, now
        state, self._state, self._settled = self._state, State.DONE, True
        if state is State.DONE:
            return []
        error = AuditUnavailable("The gateway cannot write its audit record.")
        if state in (State.CLOSING, State.BREAKING) and self._in.streaming:
            self._state = State.BROKEN
            return [ef.SendBody(self._dialect.error_event(error))]
        if state is State.REFUSING:
            return [self._last]
        return [reply(error, self._dialect, self._attempt, retry=False)]

    def _on_stream_closed(self, event: ev.StreamClosed, now: int) -> Effects:
        """Nobody listens any more. Before the answer began it may be Envoy going on to the next provider."""
        del event
        effects = self._close(now, Outcome.OUTCOME_CLIENT_CANCELLED, final=self._state in _ANSWERING)
        self._state = State.DONE
        return effects

    def _fail(self, error: Exception, now: int) -> Effects:
        answering = self._state in _ANSWERING
        failure = failure_of(error, scanning=self._state in _SCANNING, answering=answering)
        told: Effects = [] if failure.fault is None else [ef.Report(failure.fault)]
        streaming = self._state is State.STREAMING
        attempt, wrong = self._attempt, failure.error
        retry = wrong.provider_fault and attempt is not None and not attempt.last and not streaming
        if streaming:
            event = self._dialect.error_event(wrong)
            self._in.say(event)
            self._last = ef.SendBody(self._shown + event)
        else:
            self._last = reply(wrong, self._dialect, attempt, retry=retry)
        if attempt is None:
            self._state = State.DONE
            return [*told, self._last]
        status = 200 if streaming else wrong.http_status
        told += self._close(now, failure.outcome, final=not retry, client_status=status, code=wrong.code, durable=True)
        self._state = State.BREAKING if streaming else State.REFUSING
        return told

    def _close(
        self, now: int, outcome: Outcome, *, final: bool, client_status: int = 0, code: str = "", durable: bool = False
    ) -> Effects:
        """The one entry that ends this attempt; nothing when there is one already, or no attempt."""
        if self._settled or self._attempt is None:
            return []
        self._settled = True
        usage = self._usage(outcome)
        received, sent = self._inbound.hashes if self._inbound else (b"", b"")
        billed = usage != Usage()
        end = entries.End(
            outcome=outcome,
            final=final,
            client_status=client_status,
            provider_status=self._provider_status,
            code=code,
            usage=usage,
            cost_pico_usd=cost_pico_usd(usage, self._attempt.target.prices) if billed else 0,
            received_sha256=received,
            sent_sha256=sent,
            pii=self._inbound.pii if self._inbound else {},
            restored=self._inbound.restored if self._inbound else 0,
            first_byte_micros=max(0, self._first_byte - self._started) if self._first_byte else 0,
            duration_micros=max(0, now - self._started),
            extensions=self._growth.granted,
        )
        return [ef.Append(entries.closed(self._attempt, now, end), durable)]

    def _usage(self, outcome: Outcome) -> Usage:
        if self._inbound is not None:
            return self._inbound.used()
        if self._state is State.CALLING and outcome == Outcome.OUTCOME_CLIENT_CANCELLED:
            return unanswered(self._out.request.measure, self._out.attempt.target.model)
        return Usage()

    @property
    def _out(self) -> Outbound:
        assert self._outbound is not None
        return self._outbound

    @property
    def _in(self) -> Inbound:
        assert self._inbound is not None
        return self._inbound

    @property
    def _dialect(self) -> Dialect:
        return self._attempt.dialect if self._attempt else DEFAULT

    _HANDLERS: ClassVar[dict[type, Callable[[Session, Any, int], Effects]]] = {
        ev.RequestHeaders: _on_request_headers,
        ev.PolicyFound: _on_policy,
        ev.RequestBody: _on_request_body,
        ev.WorkDone: _on_work_done,
        ev.WorkFailed: _on_work_failed,
        ev.Appended: _on_appended,
        ev.AppendFailed: _on_append_failed,
        ev.MoreAnswered: _on_more,
        ev.ResponseHeaders: _on_response_headers,
        ev.ResponseBody: _on_response_body,
        ev.ResponseTrailers: _on_trailers,
        ev.StreamClosed: _on_stream_closed,
    }
