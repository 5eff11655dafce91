"""What an exchange wants done. The shell does the effects of one event in order, then feeds their answers back."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FindPolicy:
    """Look the policy up, waiting a moment for the feed. Answered by PolicyFound."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Work:
    """Run the generator, giving way to others between its steps. Answered by WorkDone or WorkFailed."""

    steps: Generator[None, None, Any]


@dataclass(frozen=True, slots=True)
class Append:
    """Write an audit entry, and wait until it is on the disk when `durable`. Answered by Appended or AppendFailed."""

    entry: bytes
    durable: bool
    opens: bool = False
    """The attempt is open until its stream ends: a successor must find this entry."""
    answered: bool = True
    """Whether the exchange waits for the answer; if not, there is none."""


@dataclass(frozen=True, slots=True)
class AskMore:
    """Ask the control plane for more budget, in the background."""

    request_id: str
    tenant: str
    provider: str
    reservation_id: str
    output_tokens: int
    pico_usd_per_output_token: int


@dataclass(frozen=True, slots=True)
class AwaitMore:
    """Nothing more can be said before AskMore is answered. Answered by MoreAnswered."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Send the request to the provider with these headers and this body."""

    set_headers: Mapping[str, str]
    remove_headers: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class SendHeaders:
    """Send the response's head to the client; `whole`: give the body in one piece and hold the head until then."""

    set_headers: Mapping[str, str]
    remove_headers: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class SendBody:
    """Answer one piece of the body with these bytes (may be none); headers only with the last of a whole body."""

    data: bytes
    set_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DropTrailers:
    """Remove the response's trailers: they are headers of the provider's, and none of those passes."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the client at once, in place of whatever the provider said or would say."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    details: str
    """For Envoy's access log."""


@dataclass(frozen=True, slots=True)
class Abort:
    """Break the stream off: what follows must not pass."""

    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the operator of a fault of ours: type and place, never the message, which may quote text."""

    error: Exception


Effect = (
    FindPolicy
    | Work
    | Append
    | AskMore
    | AwaitMore
    | SendRequest
    | SendHeaders
    | SendBody
    | DropTrailers
    | Reply
    | Abort
    | Report
)
