"""Every state an exchange may be in and what may happen there.

Strategy: one table of (state, event) → the states that may follow, in the manner of h11. A pair that is not in the
table is a fault by construction and closes the exchange; `StreamClosed` is allowed everywhere.

    START ─headers→ POLICY ─found→ BODY ─body→ SCANNING ─done→ OPENING ─appended→ CALLING
    CALLING ─headers→ STREAMING | WHOLE | REFUSAL          STREAMING | WHOLE ─last piece→ CLOSING ─appended→ DONE
    whatever goes wrong: → REFUSING ─appended→ DONE, or inside a stream → BREAKING ─appended→ BROKEN
    a stream whose budget is used up: STREAMING ─more answered→ STREAMING, or → BREAKING ─appended→ BROKEN
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from dataplane.exchange import events as ev


class State(Enum):
    """Where an exchange stands."""

    START = auto()
    """Nothing seen."""
    POLICY = auto()
    """Waiting for the policy that the decision names."""
    BODY = auto()
    """Waiting for the request's body."""
    SCANNING = auto()
    """The request is being redacted."""
    OPENING = auto()
    """The journal is taking `Opened`; no provider has been called."""
    CALLING = auto()
    """The provider has been called and has not answered."""
    STREAMING = auto()
    """An event stream is on its way; bytes may have reached the client."""
    WHOLE = auto()
    """A whole answer is being collected; nothing has reached the client."""
    REFUSAL = auto()
    """The provider's refusal is being collected, to be told in our words."""
    CLOSING = auto()
    """The journal is taking `Closed`; the last bytes wait for it."""
    REFUSING = auto()
    """The journal is taking `Closed`; an error reply waits for it."""
    BREAKING = auto()
    """The journal is taking `Closed`; the early end of a stream that has begun waits for it."""
    BROKEN = auto()
    """The client was told inside its stream that it failed or ends early: nothing more may pass."""
    DONE = auto()
    """All is said and settled; what else the provider sends is dropped."""


S = State
_FAILING = frozenset({S.REFUSING, S.DONE})
_BREAKING = frozenset({S.BREAKING, S.BROKEN})

TABLE: Mapping[tuple[State, type], frozenset[State]] = {
    (S.START, ev.RequestHeaders): frozenset({S.POLICY}) | _FAILING,
    (S.POLICY, ev.PolicyFound): frozenset({S.BODY}) | _FAILING,
    (S.BODY, ev.RequestBody): frozenset({S.SCANNING, S.OPENING}) | _FAILING,
    (S.SCANNING, ev.WorkDone): frozenset({S.OPENING}) | _FAILING,
    (S.SCANNING, ev.WorkFailed): _FAILING,
    (S.OPENING, ev.Appended): frozenset({S.CALLING}),
    (S.OPENING, ev.AppendFailed): frozenset({S.DONE}),
    (S.CALLING, ev.ResponseHeaders): frozenset({S.STREAMING, S.WHOLE, S.REFUSAL}) | _FAILING,
    (S.REFUSAL, ev.ResponseBody): frozenset({S.REFUSAL}) | _FAILING,
    (S.REFUSAL, ev.ResponseTrailers): frozenset({S.BROKEN}),
    (S.WHOLE, ev.ResponseBody): frozenset({S.WHOLE, S.CLOSING}) | _FAILING,
    (S.WHOLE, ev.ResponseTrailers): frozenset({S.BROKEN}),
    (S.WHOLE, ev.WorkDone): frozenset({S.WHOLE, S.CLOSING}) | _FAILING,
    (S.WHOLE, ev.WorkFailed): _FAILING,
    (S.STREAMING, ev.ResponseBody): frozenset({S.STREAMING, S.CLOSING}) | _BREAKING,
    (S.STREAMING, ev.ResponseTrailers): frozenset({S.BROKEN}),
    (S.STREAMING, ev.WorkDone): frozenset({S.STREAMING, S.CLOSING}) | _BREAKING,
    (S.STREAMING, ev.WorkFailed): _BREAKING,
    (S.STREAMING, ev.MoreAnswered): frozenset({S.STREAMING}) | _BREAKING,
    # An answer that came too late: what was granted is freed all the same.
    (S.BROKEN, ev.MoreAnswered): frozenset({S.BROKEN}),
    (S.DONE, ev.MoreAnswered): frozenset({S.DONE}),
    (S.CLOSING, ev.Appended): frozenset({S.DONE}),
    (S.CLOSING, ev.AppendFailed): frozenset({S.DONE, S.BROKEN}),
    (S.REFUSING, ev.Appended): frozenset({S.DONE}),
    (S.REFUSING, ev.AppendFailed): frozenset({S.DONE}),
    (S.BREAKING, ev.Appended): frozenset({S.BROKEN}),
    (S.BREAKING, ev.AppendFailed): frozenset({S.BROKEN}),
    (S.BROKEN, ev.ResponseBody): frozenset({S.BROKEN}),
    (S.BROKEN, ev.ResponseTrailers): frozenset({S.BROKEN}),
    (S.DONE, ev.RequestBody): frozenset({S.DONE}),
    (S.DONE, ev.ResponseBody): frozenset({S.DONE}),
    (S.DONE, ev.ResponseTrailers): frozenset({S.DONE}),
    # The answer to an entry written while the exchange was being closed.
    (S.DONE, ev.Appended): frozenset({S.DONE}),
    (S.DONE, ev.AppendFailed): frozenset({S.DONE}),
}


class ExchangeFault(Exception):  # noqa: N818 -- a fault of the shell or of Envoy, named so
    """Something happened that cannot happen in this state."""


def following(state: State, event: ev.Event) -> frozenset[State]:
    """The states that may follow `event` in `state`. Raises ExchangeFault when there is none."""
    if isinstance(event, ev.StreamClosed):
        return frozenset({State.DONE})
    allowed = TABLE.get((state, type(event)))
    if allowed is None:
        raise ExchangeFault(f"{type(event).__name__} in state {state.name}")
    return allowed
