from __future__ import annotations

import pytest

from dataplane import errors


@pytest.mark.parametrize(
    ("error", "retriable"),
    [
        (errors.InvalidRequest("x"), False),
        (errors.PiiBlocked("x"), False),
        (errors.RequestTooLarge("x"), False),
        (errors.RateLimited("x"), True),
        (errors.InternalError("x"), True),
        (errors.ProviderTimeout("x"), True),
    ],
)
def test_only_statuses_that_envoy_retries_are_retriable(error, retriable):
    assert error.retriable is retriable


def test_a_code_of_its_own_replaces_the_class_code():
    error = errors.InvalidRequest("too long", code="context_length_exceeded", param="messages")
    assert (error.code, error.param, error.http_status) == ("context_length_exceeded", "messages", 400)
