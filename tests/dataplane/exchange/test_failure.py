from __future__ import annotations

import orjson
import pytest
from kagamipb.ledger.v1.ledger_pb2 import Outcome
from support.exchange import context, encoded

from dataplane import errors
from dataplane.dialects.registry import DEFAULT
from dataplane.exchange.context import read
from dataplane.exchange.failure import failure_of, reply
from dataplane.redaction.replace import Blocked

ATTEMPT = read({"x-kagami-exchange": encoded(context())}, "a")


@pytest.mark.parametrize(
    ("error", "scanning", "answering", "code", "outcome"),
    [
        (Blocked("PERSON"), True, False, "pii_blocked", Outcome.OUTCOME_BLOCKED),
        (errors.InvalidRequest("x"), False, False, "invalid_request", Outcome.OUTCOME_BLOCKED),
        (errors.InvalidRequest("x"), False, True, "invalid_request", Outcome.OUTCOME_PROVIDER_ERROR),
        (errors.ProviderError("x"), True, True, "provider_error", Outcome.OUTCOME_PROVIDER_ERROR),
        (errors.RedactionUnavailable("x"), False, False, "redaction_unavailable", Outcome.OUTCOME_GATEWAY_ERROR),
        (ValueError("佐藤"), True, False, "redaction_unavailable", Outcome.OUTCOME_GATEWAY_ERROR),
        (ValueError("佐藤"), False, True, "gateway_error", Outcome.OUTCOME_GATEWAY_ERROR),
    ],
)
def test_what_an_error_means(error, scanning, answering, code, outcome):
    failure = failure_of(error, scanning=scanning, answering=answering)
    assert (failure.error.code, failure.outcome) == (code, outcome)
    assert (failure.fault is error) is isinstance(error, ValueError)
    assert "佐藤" not in failure.error.message


def test_a_reply_is_in_the_clients_shape_and_carries_the_request_id():
    made = reply(errors.ProviderError("The provider failed."), DEFAULT, ATTEMPT, retry=True)
    assert (made.status, orjson.loads(made.body)["error"]["code"]) == (502, "provider_error")
    assert (made.headers["x-kagami-request-id"], made.headers["x-kagami-retry"]) == ("r-1", "1")
    # Envoy's local reply mapping takes everything that begins with ext_proc for a failure of ours.
    assert made.details == "kagami_provider_error"


def test_a_reply_without_a_decision_has_no_request_id():
    made = reply(errors.InternalError("x"), DEFAULT, None, retry=False)
    assert "x-kagami-request-id" not in made.headers
    assert "x-kagami-retry" not in made.headers
