from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.authz.rates import duration, headers
from controlplane.domain.ports import RateLimit


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0, "0s"),
        (0.2, "1s"),
        (59, "59s"),
        (60, "1m0s"),
        (359.5, "6m0s"),
        (3600, "1h0m0s"),
        (3661, "1h1m1s"),
    ],
)
def test_durations_are_written_as_openai_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0, 1e6))
def test_a_client_that_waits_so_long_has_waited_long_enough(seconds: float) -> None:
    parts = duration(seconds).replace("h", "h ").replace("m", "m ").split()
    waited = sum(int(part[:-1]) * {"h": 3600, "m": 60, "s": 1}[part[-1]] for part in parts)
    assert seconds <= waited <= seconds + 1


def test_each_kind_of_limit_has_its_three_headers() -> None:
    assert headers((), 100.0) == {}
    assert headers((RateLimit("requests", 60, 59, 160.0), RateLimit("tokens", 1000, 0, 101.0)), 100.0) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1m0s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1s",
    }
