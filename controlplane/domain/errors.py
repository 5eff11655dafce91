"""Refusals as values: what went wrong in words and codes a caller can act on, in the OpenAI error shape.

Codes are stable (the README lists them) and say what a program should do; messages are for people and name what to
fix. No message holds prompt text, a key or anything internal.
Source of the shape: https://platform.openai.com/docs/guides/error-codes and openapi `ErrorResponse`.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal."""

    status: int
    """HTTP status."""
    code: str
    message: str
    kind: str = "invalid_request_error"
    """`type` of the OpenAI error object."""
    param: str | None = None
    """The field of the request body at fault."""
    retry_after: int | None = None
    """Seconds until trying again can help; None = nobody knows, or it cannot."""
    retriable: bool = True
    """False tells OpenAI's SDKs (x-should-retry) to spare themselves their automatic retries."""
    headers: tuple[tuple[str, str], ...] = ()
    """More response headers."""

    def body(self) -> bytes:
        """The JSON the client receives."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return orjson.dumps({"error": error})


def invalid_request(message: str, param: str | None = None) -> Problem:
    """The body or a parameter is not what the API takes."""
    return Problem(400, "invalid_request", message, param=param)


MISSING_KEY = Problem(401, "invalid_api_key", "No API key was given: send it as 'Authorization: Bearer <key>'.")
WRONG_KEY = Problem(401, "invalid_api_key", "The API key is not known to this gateway.")
DISABLED_KEY = Problem(401, "invalid_api_key", "The API key, or the tenant it belongs to, is disabled.")
EXPIRED_KEY = Problem(401, "invalid_api_key", "The API key has expired.")
UNKNOWN_URL = Problem(404, "unknown_url", "There is nothing at this URL.")


def method_not_allowed(allowed: str) -> Problem:
    """The URL is right and the method is not."""
    return Problem(405, "method_not_allowed", f"This URL takes {allowed} only.")


def model_not_found(model: str) -> Problem:
    """No route has this name."""
    return Problem(404, "model_not_found", f"The model '{model}' does not exist.", param="model")


def model_not_allowed(model: str) -> Problem:
    """There is such a route, and the key may not use it."""
    return Problem(403, "model_not_allowed", f"This API key may not use the model '{model}'.", param="model")


def request_too_large(limit: int) -> Problem:
    """The body did not fit the gateway's buffer."""
    return Problem(413, "request_too_large", f"The request body is larger than {limit} bytes.")


def insufficient_quota(quota: str, retry_after: int | None) -> Problem:
    """A budget is spent; trying again helps only in the next window, if there is one."""
    return Problem(
        429,
        "insufficient_quota",
        f"The quota '{quota}' is exhausted.",
        kind="insufficient_quota",
        retry_after=retry_after,
        retriable=False,
    )


def rate_limit_exceeded(quota: str, retry_after: int | None, *, counts: str = "requests") -> Problem:
    """A short window is full; trying again soon helps. `counts`: "requests" or "tokens", OpenAI's types."""
    return Problem(
        429,
        "rate_limit_exceeded",
        f"The rate limit '{quota}' is reached.",
        kind=counts,
        retry_after=retry_after,
    )


def _unavailable(code: str, message: str) -> Problem:
    return Problem(503, code, message, kind="server_error", retry_after=1)


NO_PROVIDER = _unavailable("no_provider_available", "No provider is available for this model.")
AUDIT_UNAVAILABLE = _unavailable("audit_unavailable", "The gateway cannot record requests at the moment.")
QUOTA_UNAVAILABLE = _unavailable("quota_unavailable", "The gateway cannot check quotas at the moment.")
GATEWAY_ERROR = _unavailable("gateway_error", "The gateway could not decide about this request.")
STARTING = _unavailable("gateway_error", "The gateway is starting.")
