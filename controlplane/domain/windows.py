"""Windows of quotas: which one an instant falls in. Pure; instants are Unix seconds.

Minutes and hours are those of UTC everywhere (time zones with half-hour offsets included: an hour is an
hour). Days and months begin at local midnight of the tenant's time zone, so a day may have 23 or 25 hours.

A rolling window of L seconds has one account that never ends. What is settled into it is kept in `GRAINS` pieces of
L / 60 seconds (a second of a minute, a minute of an hour, 24 minutes of a day, 12 hours of a month of 30 days), and a
piece comes back when even its last second is L old. So at every instant, leases included, the use of the last L
seconds is within the cap; room returns at most L / 60 late and never early. Use counts from its settlement, and
before that as leased, so a request counts from its admission on. The clock is the database's.
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
    WINDOW_ROLLING_DAY,
    WINDOW_ROLLING_HOUR,
    WINDOW_ROLLING_MINUTE,
    WINDOW_ROLLING_MONTH,
    Window,
)


class Bounds(NamedTuple):
    """A window from `start` to before `end`, Unix seconds; (0, 0) is the window without end, (-L, 0) the rolling
    window of L seconds.
    """

    start: int
    end: int


LIFETIME = Bounds(0, 0)
GRAINS = 60
"""Pieces a rolling window comes back in."""
_FIXED = {WINDOW_MINUTE: 60, WINDOW_HOUR: 3600}
_ENDLESS = {
    WINDOW_LIFETIME: LIFETIME,
    WINDOW_ROLLING_MINUTE: Bounds(-60, 0),
    WINDOW_ROLLING_HOUR: Bounds(-3600, 0),
    WINDOW_ROLLING_DAY: Bounds(-86_400, 0),
    WINDOW_ROLLING_MONTH: Bounds(-30 * 86_400, 0),
}


def rolls(start: int) -> bool:
    """Whether a window that starts there is a rolling one."""
    return start < 0


def bounds(window: Window, time_zone: str, now: float) -> Bounds:
    """The window `now` falls in. Raises ValueError for an unknown kind or time zone."""
    if endless := _ENDLESS.get(window):
        return endless
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
        if endless := _ENDLESS.get(window):
            return endless
        known = self._current.get((window, time_zone))
        if known is None or not known.start <= now < known.end:
            known = self._current[window, time_zone] = bounds(window, time_zone, now)
        return known
