from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamipb.admin.v1.admin_pb2 import (
    WINDOW_DAY,
    WINDOW_HOUR,
    WINDOW_LIFETIME,
    WINDOW_MINUTE,
    WINDOW_MONTH,
    WINDOW_ROLLING_DAY,
    WINDOW_ROLLING_HOUR,
    WINDOW_ROLLING_MINUTE,
    WINDOW_ROLLING_MONTH,
)

from controlplane.domain.windows import GRAINS, Bounds, Calendar, bounds, rolls

ZONES = [
    "UTC",
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Cairo",
]
WINDOWS = [WINDOW_MINUTE, WINDOW_HOUR, WINDOW_DAY, WINDOW_MONTH]


def at(zone: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("window", "zone", "now", "start", "end"),
    [
        (WINDOW_MINUTE, "UTC", 119.9, 60, 120),
        (WINDOW_HOUR, "Asia/Tokyo", 7199, 3600, 7200),
        (
            WINDOW_DAY,
            "Asia/Tokyo",
            at("Asia/Tokyo", 2026, 11, 21, 0, 0),
            at("Asia/Tokyo", 2026, 11, 21),
            at("Asia/Tokyo", 2026, 11, 22),
        ),
        (
            WINDOW_DAY,
            "Asia/Tokyo",
            at("Asia/Tokyo", 2026, 11, 21) - 1,
            at("Asia/Tokyo", 2026, 11, 20),
            at("Asia/Tokyo", 2026, 11, 21),
        ),
        (
            WINDOW_MONTH,
            "Asia/Tokyo",
            at("Asia/Tokyo", 2026, 12, 31, 23),
            at("Asia/Tokyo", 2026, 12, 1),
            at("Asia/Tokyo", 2027, 1, 1),
        ),
        (WINDOW_MONTH, "UTC", at("UTC", 2028, 2, 29, 12), at("UTC", 2028, 2, 1), at("UTC", 2028, 3, 1)),
        (
            WINDOW_DAY,
            "Europe/Berlin",
            at("Europe/Berlin", 2026, 10, 25, 12),
            at("Europe/Berlin", 2026, 10, 25),
            at("Europe/Berlin", 2026, 10, 26),
        ),
    ],
)
def test_windows_follow_the_calendar(window: int, zone: str, now: float, start: int, end: int) -> None:
    assert bounds(window, zone, now) == (start, end)


def test_the_day_the_clocks_go_back_has_25_hours() -> None:
    start, end = bounds(WINDOW_DAY, "Europe/Berlin", at("Europe/Berlin", 2026, 10, 25, 12))
    assert end - start == 25 * 3600


def test_a_lifetime_has_no_bounds() -> None:
    assert bounds(WINDOW_LIFETIME, "UTC", 1e9) == Bounds(0, 0)


@pytest.mark.parametrize(
    ("window", "zone"), [(0, "UTC"), (99, "UTC"), (WINDOW_DAY, "Nowhere/Land"), (WINDOW_DAY, "../etc/passwd")]
)
def test_what_is_unknown_is_refused(window: int, zone: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        bounds(window, zone, 1e9)


@given(st.sampled_from(WINDOWS), st.sampled_from(ZONES), st.floats(1e9, 3e9))
def test_windows_follow_each_other_without_gap_or_overlap(window: int, zone: str, now: float) -> None:
    start, end = bounds(window, zone, now)
    assert start <= now < end
    assert bounds(window, zone, end).start == end
    assert bounds(window, zone, start - 0.001).end == start


@given(st.lists(st.tuples(st.sampled_from(WINDOWS), st.sampled_from(ZONES), st.floats(1e9, 1e9 + 1e7)), max_size=20))
def test_a_calendar_remembers_without_being_wrong(asked: list[tuple[int, str, float]]) -> None:
    calendar = Calendar()
    for window, zone, now in asked:
        assert calendar.bounds(window, zone, now) == bounds(window, zone, now)


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        (WINDOW_ROLLING_MINUTE, 60),
        (WINDOW_ROLLING_HOUR, 3600),
        (WINDOW_ROLLING_DAY, 86_400),
        (WINDOW_ROLLING_MONTH, 2_592_000),
    ],
)
def test_a_rolling_window_is_the_same_at_every_moment(window: int, seconds: int) -> None:
    assert bounds(window, "Asia/Tokyo", 1e9) == Calendar().bounds(window, "UTC", 5.0) == Bounds(-seconds, 0)
    assert rolls(-seconds)
    assert not rolls(0)
    assert seconds % GRAINS == 0
