"""What an error means: to the client, to the audit trail, to Envoy's choice of the next provider."""

from __future__ import annotations

from dataclasses import dataclass

from kagamipb.ledger.v1.ledger_pb2 import Outcome

from dataplane.dialects.model import Dialect
from dataplane.errors import (
    GatewayError,
    InternalError,
    PiiBlocked,
    RateLimited,
    RedactionUnavailable,
)
from dataplane.exchange.context import Attempt
from dataplane.exchange.effects import Reply
from dataplane.exchange.headers import REQUEST_ID, RETRY
from dataplane.redaction.replace import Blocked


@dataclass(frozen=True, slots=True)
class Failure:
    """An error with its consequences."""

    error: GatewayError
    outcome: Outcome
    fault: Exception | None
    """Something of ours that broke and that an operator must hear of."""


def failure_of(error: Exception, *, scanning: bool, answering: bool) -> Failure:
    """`scanning`: a detector was at work; `answering`: the client request had reached the provider."""
    if isinstance(error, Blocked):
        blocked = PiiBlocked(f"The redaction policy does not let {error.entity} pass.")
        return Failure(blocked, Outcome.OUTCOME_BLOCKED, None)
    if not isinstance(error, GatewayError):
        return Failure(_unexpected(scanning=scanning), Outcome.OUTCOME_GATEWAY_ERROR, error)
    if error.provider_fault or (answering and error.http_status < 500):
        return Failure(error, Outcome.OUTCOME_PROVIDER_ERROR, None)
    refused = error.http_status < 500
    return Failure(error, Outcome.OUTCOME_BLOCKED if refused else Outcome.OUTCOME_GATEWAY_ERROR, None)


def _unexpected(*, scanning: bool) -> GatewayError:
    if scanning:
        return RedactionUnavailable("The gateway could not inspect this exchange for personal data.")
    return InternalError("The gateway failed to handle this exchange.")


def reply(error: GatewayError, dialect: Dialect, attempt: Attempt | None, *, retry: bool) -> Reply:
    """The error in place of an answer; `retry` asks Envoy for the next provider instead of the client."""
    made = {"content-type": "application/json", "cache-control": "no-store"}
    if attempt is not None:
        made[REQUEST_ID] = attempt.context.request_id
    if retry:
        made[RETRY] = "1"
    if isinstance(error, RateLimited) and error.retry_after:
        made["retry-after"] = error.retry_after
    return Reply(error.http_status, made, dialect.error_body(error), f"kagami_{error.code}")
