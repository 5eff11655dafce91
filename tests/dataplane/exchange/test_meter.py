from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplane.exchange.meter import LEAST_ASKED, LEAST_LEAD, MOST_ASKED, Meter


def test_without_a_quota_nothing_is_asked_and_nothing_is_over():
    meter = Meter(0, 50)
    meter.note(10**9)
    assert (meter.over, meter.wanted()) == (False, 0)


@pytest.mark.parametrize(("paid", "lead"), [(800, 100), (100, LEAST_LEAD)])
def test_more_is_asked_for_ahead_of_need_once(paid, lead):
    meter = Meter(paid, 0)
    meter.note(paid - lead)
    assert meter.wanted() == 0
    meter.note(paid - lead + 1)
    assert meter.wanted() == min(max(paid, LEAST_ASKED), MOST_ASKED)
    meter.asked()
    meter.note(paid + 1)
    assert (meter.wanted(), meter.over) == (0, True)
    meter.answered(paid)
    assert (meter.paid, meter.over, meter.asking) == (2 * paid, False, False)


def test_a_limit_that_is_paid_for_is_believed_until_it_is_passed():
    meter = Meter(100, 100)
    meter.note(100)
    assert (meter.wanted(), meter.over) == (0, False)
    meter.note(101)
    assert (meter.wanted() > 0, meter.over) == (True, True)


def test_no_more_is_asked_for_than_the_provider_may_give():
    meter = Meter(100, 110)
    meter.note(90)
    assert meter.wanted() == 10


def test_after_a_refusal_it_is_asked_again_when_half_is_gone_and_once_when_nothing_is_left():
    meter, asked = Meter(100, 0), []
    for spent in range(1, 103):
        meter.note(spent)
        if meter.wanted():
            meter.asked()
            meter.answered(0)
            asked.append(spent)
    assert asked == [85, 94, 98, 100, 101]
    meter.note(500)
    assert (meter.over, meter.wanted()) == (True, 0)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.lists(st.integers(0, 2000), max_size=50))
def test_a_question_is_bounded_and_asked_only_when_none_is_out(paid, limit, steps):
    meter, spent = Meter(paid, limit), 0
    for number, step in enumerate(steps):
        spent += step
        meter.note(spent)
        if tokens := meter.wanted():
            assert 0 < tokens <= MOST_ASKED
            assert limit <= meter.paid or meter.paid + tokens <= limit
            meter.asked()
            assert meter.wanted() == 0
            meter.answered(tokens if number % 3 else 0)
    assert meter.over == (meter.spent > meter.paid)
