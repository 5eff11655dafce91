"""The database's clock as a replica knows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.clock import Offset


def test_a_replica_that_heard_nothing_believes_itself() -> None:
    assert Offset().seconds == 0.0


@given(st.floats(-5, 5), st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=20))
def test_it_is_never_wrong_by_more_than_half_the_quickest_round_trip_and_drift(
    skew: float, trips: list[tuple[float, float]]
) -> None:
    offset, now = Offset(), 1_000_000.0  # the database's clock
    for there, back in trips:
        offset.observe(now - skew, now + there, now + there + back - skew)
        now += there + back + 1
    quickest = min(there + back for there, back in trips) / 2
    assert abs(offset.seconds - skew) <= quickest + 2e-3 * len(trips) + 1e-6


def test_a_quick_reading_is_kept_and_gives_way_to_slower_ones_in_time() -> None:
    offset = Offset()
    offset.observe(100.0, 102.001, 100.002)
    offset.observe(107.0, 109.2, 107.3)  # half a trip is 150 ms
    assert abs(offset.seconds - 2.0) < 1e-6
    offset.observe(300.0, 302.2, 300.3)
    assert abs(offset.seconds - 2.05) < 1e-6


def test_a_clock_that_was_set_is_noticed_at_once() -> None:
    offset = Offset()
    offset.observe(100.0, 100.001, 100.002)
    offset.observe(107.0, 109.0, 107.01)
    assert abs(offset.seconds - 1.995) < 1e-6
