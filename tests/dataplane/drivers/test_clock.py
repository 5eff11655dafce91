from __future__ import annotations

import datetime as dt

from dataplane.drivers.clock import unix_micros


def test_the_clock_is_unix_time_in_microseconds():
    now = dt.datetime.now(dt.UTC)
    assert abs(unix_micros() - now.timestamp() * 1_000_000) < 60 * 1_000_000
