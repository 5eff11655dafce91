"""Wall time for the pure core."""

from __future__ import annotations

import time


def unix_micros() -> int:
    """Unix time in microseconds."""
    return time.time_ns() // 1000
