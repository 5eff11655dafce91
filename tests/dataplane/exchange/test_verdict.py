from __future__ import annotations

import pytest

from dataplane import errors
from dataplane.exchange.verdict import Verdict, judge, unreached

JSON, SSE = {"content-type": b"application/json; charset=utf-8"}, {"content-type": b"Text/Event-Stream"}


def test_the_three_kinds_of_answers():
    assert judge(200, JSON, stream=False) is Verdict.WHOLE
    assert judge(200, SSE, stream=True) is Verdict.STREAMING
    for status in (400, 413, 422):
        assert judge(status, {}, stream=True) is Verdict.REFUSAL


@pytest.mark.parametrize(
    ("headers", "stream"), [(JSON, True), (SSE, False), ({}, False), ({"content-type": b"text/plain"}, True)]
)
def test_an_answer_of_the_wrong_kind_is_a_failure(headers, stream):
    with pytest.raises(errors.ProviderError):
        judge(200, headers, stream=stream)


@pytest.mark.parametrize(
    ("status", "error"),
    [(0, errors.ProviderError), (201, errors.ProviderError), (301, errors.ProviderError), (401, errors.ProviderError),
     (408, errors.ProviderTimeout), (429, errors.RateLimited), (500, errors.ProviderError), (504, errors.ProviderTimeout), (529, errors.ProviderError)],
)  # fmt: skip
def test_every_other_status_is_an_error_that_another_provider_may_not_have(status, error):
    with pytest.raises(error) as caught:
        judge(status, JSON, stream=False)
    assert caught.value.provider_fault


@pytest.mark.parametrize(
    ("details", "error"),
    [
        ("upstream_per_try_timeout", errors.ProviderTimeout),
        ("response_timeout", errors.ProviderTimeout),
        ("upstream_reset_before_response_started{connection_termination}", errors.ProviderError),
        ("no_healthy_upstream", errors.ProviderError),
    ],
)
def test_an_answer_that_envoy_made_itself_is_a_provider_that_was_slow_or_away(details, error):
    assert type(unreached(details)) is error
