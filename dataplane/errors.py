"""Every error a client of the data plane can meet: one tree, each with a stable code, a status and a safe message.

Strategy: code that cannot go on raises one of these; `dialects` writes it in the client's shape and `extproc.rescue`
turns anything else into `InternalError`. A message never quotes a prompt, an answer, a key, a header or a host: it is
written here or built from field names. `param` names the request field at fault, as OpenAI's errors do.

    GatewayError
    ├── InvalidRequest          400 invalid_request (or a code OpenAI's clients know, such as context_length_exceeded)
    ├── PiiBlocked              403 pii_blocked
    ├── RequestTooLarge         413 request_too_large
    ├── RateLimited             429 rate_limit_exceeded
    ├── BudgetUsedUp            429 insufficient_quota
    ├── InternalError           500 gateway_error
    ├── ProviderError           502 provider_error
    ├── RedactionUnavailable    503 redaction_unavailable
    ├── AuditUnavailable        503 audit_unavailable
    └── ProviderTimeout         504 provider_timeout
"""

# ruff: noqa: N818 -- named after what the client meets, not after the mechanism that carries it.

from __future__ import annotations


class GatewayError(Exception):
    """What the client is told. `code` is stable; `message` is safe to show anybody."""

    code = "gateway_error"
    http_status = 500
    provider_fault = False
    """Whether another provider may do better: the data plane then asks Envoy for the next in the chain."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        if code is not None:
            self.code = code


class InvalidRequest(GatewayError):
    """The request cannot be understood; `param` names the field."""

    code = "invalid_request"
    http_status = 400


class PiiBlocked(GatewayError):
    """The tenant's policy refuses this kind of personal data."""

    code = "pii_blocked"
    http_status = 403


class RequestTooLarge(GatewayError):
    """The request is larger than the gateway or the provider takes."""

    code = "request_too_large"
    http_status = 413


class RateLimited(GatewayError):
    """The provider asked to slow down; `retry_after` is its own header, checked, or None."""

    code = "rate_limit_exceeded"
    http_status = 429
    provider_fault = True

    def __init__(self, message: str, *, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BudgetUsedUp(GatewayError):
    """A stream outgrew what its budget had room for."""

    code = "insufficient_quota"
    http_status = 429


class InternalError(GatewayError):
    """A fault of ours, without detail."""


class ProviderError(GatewayError):
    """The provider refused, failed or answered what cannot be understood."""

    code = "provider_error"
    http_status = 502
    provider_fault = True


class RedactionUnavailable(GatewayError):
    """Detection failed or its policy is unknown: nothing passes."""

    code = "redaction_unavailable"
    http_status = 503


class AuditUnavailable(GatewayError):
    """The journal takes no records: nothing passes."""

    code = "audit_unavailable"
    http_status = 503


class ProviderTimeout(GatewayError):
    """The provider did not answer in time."""

    code = "provider_timeout"
    http_status = 504
    provider_fault = True
