from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import forecast as module
from controlplane.domain.forecast import COLD_START, ENOUGH, PROBATION, UNPROVEN, Forecast, bucket, ceiling
from controlplane.domain.ports import Guess


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


SHORT = Guess(9, 1300)


def test_input_is_first_expected_at_the_familys_95th_percentile() -> None:
    assert Forecast().expected_input("t", "m", SHORT) == 12
    assert Forecast().expected_input("t", "m", Guess(1000, 1100)) == 1100


def test_while_nothing_is_settled_further_requests_hold_more() -> None:
    forecast = Forecast()
    held = [forecast.expected_input("t", "m", SHORT) for _ in range(PROBATION + 2)]
    assert held == [12] * PROBATION + [12 + UNPROVEN] * 2
    forecast.learn_input("t", "m", 9, 9)
    assert forecast.expected_input("t", "m", SHORT) == 12


def test_input_is_corrected_by_what_providers_count() -> None:
    forecast = Forecast()
    for _ in range(ENOUGH):
        forecast.learn_input("t", "m", 9, 40)
    assert 40 <= forecast.expected_input("t", "m", SHORT) <= 42
    for _ in range(2000):
        forecast.learn_input("t", "m", 9, 6)
    assert 6 <= forecast.expected_input("t", "m", SHORT) <= 7


def test_the_first_reports_raise_what_is_held_and_do_not_lower_it() -> None:
    forecast = Forecast()
    forecast.learn_input("t", "m", 9, 6)
    assert forecast.expected_input("t", "m", SHORT) == 12
    forecast.learn_input("t", "m", 9, 40)
    assert 40 <= forecast.expected_input("t", "m", SHORT) <= 42


def test_hidden_instructions_weigh_on_short_prompts_only() -> None:
    forecast = Forecast()
    for _ in range(ENOUGH):
        forecast.learn_input("t", "m", 9, 40)
        forecast.learn_input("t", "m", 10_000, 10_031)
    assert forecast.expected_input("t", "m", SHORT) >= 40
    assert forecast.expected_input("t", "m", Guess(10_000, 1300)) <= 10_300


def test_nineteen_of_twenty_holds_cover_the_input_and_are_not_lavish() -> None:
    chance, forecast, covered, held, used = random.Random(5), Forecast(), 0, 0, 0
    for n in range(4000):
        guess = Guess(chance.randint(64, 500), 1300)
        actual = max(1, round(guess.tokens * chance.gauss(0.95, 0.12)))
        expected = forecast.expected_input("t", "m", guess)
        if n >= 100:
            covered, held, used = covered + (expected >= actual), held + expected, used + actual
        forecast.learn_input("t", "m", guess.tokens, actual)
    assert covered >= 0.94 * 3900
    assert held <= 1.3 * used


def test_a_report_out_of_all_proportion_is_bounded() -> None:
    forecast = Forecast()
    forecast.learn_input("t", "m", 1, 10**12)
    assert forecast.expected_input("t", "m", Guess(1, 1300)) <= 110


def test_lanes_of_input_are_bounded() -> None:
    forecast = Forecast()
    for n in range(module.MAX_LANES + 10):
        forecast.learn_input(str(n), "m", 10, 10)
    assert len(forecast._inputs) == module.MAX_LANES
