from __future__ import annotations

import pytest

from dataplane import errors


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (errors.InvalidRequest("x"), False),
        (errors.PiiBlocked("x"), False),
        (errors.RequestTooLarge("x"), False),
        (errors.RateLimited("x"), True),
        (errors.InternalError("x"), False),
        (errors.AuditUnavailable("x"), False),
        (errors.ProviderError("x"), True),
        (errors.ProviderTimeout("x"), True),
    ],
)
def test_only_a_providers_faults_are_worth_another_provider(error, retried):
    assert error.provider_fault is retried


def test_a_code_of_its_own_replaces_the_class_code():
    error = errors.InvalidRequest("too long", code="context_length_exceeded", param="messages")
    assert (error.code, error.param, error.http_status) == ("context_length_exceeded", "messages", 400)
