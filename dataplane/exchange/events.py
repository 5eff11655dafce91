"""What can happen to an exchange. Header names are lower case, values are bytes as Envoy gives them (raw_value)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataplane.redaction.policy import Policy

Headers = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The request's head; `provider` is the hop that asks (trusted: Envoy's own configuration)."""

    headers: Headers
    provider: str
    end: bool = False


@dataclass(frozen=True, slots=True)
class PolicyFound:
    """Answers FindPolicy; None: not known within the time allowed."""

    policy: Policy | None
    pass_uninspected: bool = False
    cut_with_error: bool = False
    """A stream whose budget is used up ends with an error event, not as one that reached its limit."""


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The whole request body."""

    data: bytes


@dataclass(frozen=True, slots=True)
class WorkDone:
    """Answers Work: the generator's return value."""

    result: object


@dataclass(frozen=True, slots=True)
class WorkFailed:
    """Answers Work: the generator raised, or took longer than it may (TimeoutError)."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Appended:
    """Answers Append: where the entry lies, durable if that was asked."""

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class AppendFailed:
    """Answers Append: the journal did not take the entry."""


@dataclass(frozen=True, slots=True)
class MoreAnswered:
    """Answers AskMore, before the next event or when it is waited for; 0 tokens: refused, or nobody could be asked."""

    output_tokens: int = 0
    extension_id: str = ""
    reservation_id: str = ""


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """The response's head, from the provider or, when it could not be reached, from Envoy."""

    headers: Headers
    end: bool = False
    local: str = ""
    """Why Envoy answers in the provider's place (its response code details); empty: the provider itself does."""


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """A piece of the response body; `end` marks the last."""

    data: bytes
    end: bool


@dataclass(frozen=True, slots=True)
class ResponseTrailers:
    """The response ended with trailers of these names, which take the place of the last piece's `end`."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """Envoy ended the stream: complete, cancelled or reset; the session knows which by what it has seen."""


Event = (
    RequestHeaders
    | PolicyFound
    | RequestBody
    | WorkDone
    | WorkFailed
    | Appended
    | AppendFailed
    | MoreAnswered
    | ResponseHeaders
    | ResponseBody
    | ResponseTrailers
    | StreamClosed
)
