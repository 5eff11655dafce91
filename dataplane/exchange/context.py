"""The control plane's decision as the data plane reads it, checked before anything depends on it.

The header `x-kagami-exchange` is set by ext_authz and a client's own copy is removed by Envoy's outer listener; still
nothing is taken on trust that can be checked: the attempt must exist, its provider must be the hop that asks, and both
dialects must be known. Anything else is an InternalError, and nothing leaves.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from kagamipb.exchange.v1.exchange_pb2 import ExchangeContext, Target

from dataplane.dialects.model import Dialect
from dataplane.dialects.registry import dialect
from dataplane.errors import InternalError
from dataplane.exchange.events import Headers

EXCHANGE = "x-kagami-exchange"
ATTEMPT = "x-envoy-attempt-count"
_MOST_ENCODED_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of one admitted request."""

    context: ExchangeContext
    number: int
    """1-based; uses chain[number - 1]."""
    target: Target
    dialect: Dialect
    """What client and provider speak: translation between two is not part of this build."""

    @property
    def last(self) -> bool:
        """Whether the chain ends here."""
        return self.number >= len(self.context.chain)


def read(headers: Headers, provider: str) -> Attempt:
    """The attempt these headers belong to. Raises InternalError when it is missing or contradicts itself."""
    context = _decode(headers.get(EXCHANGE))
    number = _number(headers.get(ATTEMPT, b"1"))
    if not 1 <= number <= len(context.chain):
        raise InternalError("The gateway received an attempt that it did not plan.")
    target = context.chain[number - 1]
    if target.provider != provider:
        raise InternalError("The gateway received an attempt for another provider than planned.")
    spoken = dialect(context.client_dialect)
    if spoken is None or target.dialect != context.client_dialect:
        raise InternalError("The gateway does not know the format of this request.")
    return Attempt(context, number, target, spoken)


def _decode(value: bytes | None) -> ExchangeContext:
    if not value or len(value) > _MOST_ENCODED_BYTES:
        raise InternalError("The gateway received a request without its decision.")
    try:
        context = ExchangeContext.FromString(urlsafe_b64decode(value + b"=" * (-len(value) % 4)))
    except (binascii.Error, DecodeError, ValueError):
        raise InternalError("The gateway received a decision that it cannot read.") from None
    if not context.request_id or not context.tenant:
        raise InternalError("The gateway received a decision without its request or tenant.")
    return context


def _number(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) <= 4 else 0
