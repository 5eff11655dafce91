from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import forecast as module
from controlplane.domain.forecast import COLD_START, ENOUGH, Forecast, bucket, ceiling


def test_too_few_requests_give_the_cold_start() -> None:
    forecast = Forecast()
    for _ in range(ENOUGH - 1):
        forecast.learn("t", "m", 10)
    assert forecast.expected_output("t", "m") == COLD_START


def test_equal_answers_are_expected_within_a_tenth() -> None:
    forecast = Forecast()
    for _ in range(10):
        forecast.learn("t", "m", 1000)
    assert 1000 <= forecast.expected_output("t", "m") <= 1100


def test_the_95th_percentile_ignores_rare_long_answers() -> None:
    forecast = Forecast()
    for n in range(100):
        forecast.learn("t", "m", 5000 if n % 30 == 0 else 100)
    assert 100 <= forecast.expected_output("t", "m") <= 110


def test_old_habits_fade() -> None:
    forecast = Forecast()
    for _ in range(1000):
        forecast.learn("t", "m", 4000)
    for _ in range(1000):
        forecast.learn("t", "m", 50)
    assert forecast.expected_output("t", "m") <= 55


def test_tenants_and_models_are_apart() -> None:
    forecast = Forecast()
    for _ in range(10):
        forecast.learn("t", "m", 10)
    assert forecast.expected_output("t", "other") == COLD_START
    assert forecast.expected_output("other", "m") == COLD_START


def test_memory_is_bounded() -> None:
    forecast = Forecast()
    for n in range(module.MAX_LANES + 10):
        forecast.learn(str(n), "m", 10)
    assert len(forecast._lanes) == module.MAX_LANES


@given(st.integers(0, 10**7))
def test_a_bucket_covers_its_tokens_by_at_most_a_tenth(tokens: int) -> None:
    assert tokens <= max(1, ceiling(bucket(tokens)))
    assert ceiling(bucket(tokens)) <= max(1, tokens * 1.1 + 1)


@given(st.lists(st.integers(0, 100_000), min_size=ENOUGH, max_size=3000))
def test_expectation_stays_within_what_was_seen(seen: list[int]) -> None:
    forecast = Forecast()
    for tokens in seen:
        forecast.learn("t", "m", tokens)
    assert 1 <= forecast.expected_output("t", "m") <= max(1, max(seen) * 1.1 + 1)
