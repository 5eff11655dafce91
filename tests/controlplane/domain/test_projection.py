"""Where a window leads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.projection import Past, Projection, project
from controlplane.domain.windows import LIFETIME, Bounds

DAY = Bounds(0, 86_400)
AMOUNTS = st.integers(0, 10**15)


def test_without_a_window_before_it_goes_on_as_it_began() -> None:
    assert project(DAY, 21_600, 100, 1000, None) == Projection(400, 0)


def test_the_cap_is_reached_where_the_line_meets_it() -> None:
    assert project(DAY, 21_600, 100, 200, None) == Projection(400, 43_200)


def test_a_young_window_is_judged_by_the_one_before() -> None:
    found = project(DAY, 864, 100, 10**6, Past(8640, 86_400))
    assert found is not None
    # A hundredth has passed, at 100 in 864 s; before, it was 0.1 a second: 0.01 * 0.1157 + 0.99 * 0.1, for 85536 s.
    assert found.at_end == 100 + int(85_536 * (0.01 * 100 / 864 + 0.99 * 0.1))


def test_an_idle_window_leads_nowhere() -> None:
    assert project(DAY, 40_000, 0, 10, None) == Projection(0, 0)


def test_a_cap_that_was_reached_is_reached_now() -> None:
    found = project(DAY, 40_000, 10, 10, None)
    assert found is not None
    assert found.exhausted_at == 40_000


def test_a_window_without_end_has_no_forecast() -> None:
    assert project(LIFETIME, 5, 1, 2, None) is None
    assert project(Bounds(-3600, 0), 5, 1, 2, None) is None


@given(st.integers(-5, 90_000), AMOUNTS, AMOUNTS, st.none() | st.builds(Past, AMOUNTS, st.integers(1, 90_000)))
def test_a_forecast_never_falls_below_what_is_settled_and_ends_within_the_window(
    now: int, settled: int, cap: int, past: Past | None
) -> None:
    found = project(DAY, now, settled, cap, past)
    assert found is not None
    assert found.at_end >= settled
    if found.at_end < cap:
        assert not found.exhausted_at
    elif settled < cap:
        assert 0 < found.exhausted_at <= DAY.end
