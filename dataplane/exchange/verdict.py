"""What a provider's status means: answer, refusal to be read, or failure.

A provider's 401, 403 and 404 are the operator's business (a wrong key, a wrong model name), not the client's: to it
they are a provider that failed, and the next one in the chain may work.
"""

from __future__ import annotations

from enum import Enum, auto

from dataplane.errors import GatewayError, ProviderError, ProviderTimeout, RateLimited
from dataplane.exchange.events import Headers
from dataplane.exchange.headers import retry_after


class Verdict(Enum):
    """What to do with a response whose headers have come."""

    STREAMING = auto()
    WHOLE = auto()
    REFUSAL = auto()
    """400, 413, 422: the body says what the client did wrong."""


_REFUSALS = frozenset({400, 413, 422})
_TIMEOUTS = frozenset({408, 504})


def judge(status: int, headers: Headers, *, stream: bool) -> Verdict:
    """The verdict on a response to a request that asked for a `stream` or not. Raises the error it stands for."""
    if status in _REFUSALS:
        return Verdict.REFUSAL
    if status != 200:
        raise _failure(status, headers)
    kind = headers.get("content-type", b"").split(b";")[0].strip().lower()
    if stream and kind == b"text/event-stream":
        return Verdict.STREAMING
    if not stream and kind == b"application/json":
        return Verdict.WHOLE
    raise ProviderError("The provider answered in a format that was not asked for.")


def unreached(details: str) -> GatewayError:
    """The error behind an answer that Envoy made in the provider's place, from its response code details."""
    if "timeout" in details:
        return ProviderTimeout("The provider did not answer in time.")
    return ProviderError("The provider could not be reached.")


def _failure(status: int, headers: Headers) -> GatewayError:
    if status == 429:
        return RateLimited("The provider asks to slow down.", retry_after=retry_after(headers))
    if status in _TIMEOUTS:
        return ProviderTimeout("The provider did not answer in time.")
    return ProviderError("The provider failed.")
