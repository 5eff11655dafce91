"""Calendar windows of quotas: which one an instant falls in. Pure; instants are Unix seconds.

Minutes and hours are those of UTC everywhere (time zones with half-hour offsets included: an hour is an
hour). Days and months begin at local midnight of the tenant's time zone, so a day may have 23 or 25 hours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kagamipb.admin.v1.admin_pb2 import (
    WINDOW_DAY,
    WINDOW_HOUR,
    WINDOW_LIFETIME,
    WINDOW_MINUTE,
    WINDOW_MONTH,
    Window,
)


class Bounds(NamedTuple):
    """A window from `start` to before `end`, Unix seconds; (0, 0) is the window without end."""

    start: int
    end: int


LIFETIME = Bounds(0, 0)
_FIXED = {WINDOW_MINUTE: 60, WINDOW_HOUR: 3600}


def bounds(window: Window, time_zone: str, now: float) -> Bounds:
    """The window `now` falls in. Raises ValueError for an unknown kind or time zone."""
    if window == WINDOW_LIFETIME:
        return LIFETIME
    if size := _FIXED.get(window):
        start = int(now) // size * size
        return Bounds(start, start + size)
    return _calendar(window, _zone(time_zone), now)


def _calendar(window: Window, zone: ZoneInfo, now: float) -> Bounds:
    local = datetime.fromtimestamp(now, UTC).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if window == WINDOW_DAY:
        return _between(midnight, midnight + timedelta(days=1))
    if window == WINDOW_MONTH:
        first = midnight.replace(day=1)
        return _between(first, (first + timedelta(days=32)).replace(day=1))
    raise ValueError(f"unknown quota window {window}")


def _between(start: datetime, end: datetime) -> Bounds:
    return Bounds(int(start.timestamp()), int(end.timestamp()))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


class Calendar:
    """`bounds` with the current windows remembered: on the request path it is one look-up and two
    comparisons.
    """

    __slots__ = ("_current",)

    def __init__(self) -> None:
        self._current: dict[tuple[Window, str], Bounds] = {}

    def bounds(self, window: Window, time_zone: str, now: float) -> Bounds:
        """As the function of the same name."""
        if window == WINDOW_LIFETIME:
            return LIFETIME
        known = self._current.get((window, time_zone))
        if known is None or not known.start <= now < known.end:
            known = self._current[window, time_zone] = bounds(window, time_zone, now)
        return known
