from __future__ import annotations

import orjson
import pytest

from controlplane.domain import errors


@pytest.mark.parametrize(
    "problem",
    [
        errors.MISSING_KEY, errors.WRONG_KEY, errors.DISABLED_KEY, errors.EXPIRED_KEY, errors.UNKNOWN_URL,
        errors.NO_PROVIDER, errors.AUDIT_UNAVAILABLE, errors.QUOTA_UNAVAILABLE, errors.GATEWAY_ERROR, errors.STARTING,
        errors.invalid_request("m", "messages"), errors.model_not_found("m"), errors.model_not_allowed("m"),
        errors.request_too_large(1), errors.insufficient_quota("q", 3), errors.rate_limit_exceeded("q", 3),
        errors.method_not_allowed("POST"),
    ],
)  # fmt: skip
def test_every_problem_has_the_openai_shape(problem: errors.Problem) -> None:
    error = orjson.loads(problem.body())["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert error["message"].endswith(".") or error["message"] == "m"
    assert error["code"] == problem.code
    assert 400 <= problem.status <= 503


def test_an_exhausted_budget_tells_sdks_not_to_retry() -> None:
    assert not errors.insufficient_quota("q", None).retriable
    assert errors.rate_limit_exceeded("q", 1).retriable


def test_a_name_cannot_break_the_json() -> None:
    assert "\"'\n" in orjson.loads(errors.model_not_found("\"'\n").body())["error"]["message"]


def test_a_429_has_openais_type() -> None:
    assert orjson.loads(errors.rate_limit_exceeded("q", 1).body())["error"]["type"] == "requests"
    assert orjson.loads(errors.rate_limit_exceeded("q", 1, counts="tokens").body())["error"]["type"] == "tokens"
    assert orjson.loads(errors.insufficient_quota("q", 1).body())["error"]["type"] == "insufficient_quota"
