"""How a window will end if it goes on so. Pure; integers in the quota's unit, Unix seconds.

Linear: what is settled, plus a rate for the time that is left. The rate is that of this window so far, weighed with
how much of the window has passed, and for the rest that of the window before: a month that is one hour old says
little about itself. Without a window before, this one speaks alone.
"""

from __future__ import annotations

from typing import NamedTuple

from controlplane.domain.windows import Bounds


class Projection(NamedTuple):
    """Settled use at the window's end, and when the cap is reached (0 = not within the window)."""

    at_end: int
    exhausted_at: int


class Past(NamedTuple):
    """What the window before used, and how many seconds it had."""

    settled: int
    seconds: int


def project(window: Bounds, now: float, settled: int, cap: int, past: Past | None) -> Projection | None:
    """None for windows that never end."""
    if not window.end:
        return None
    length = window.end - window.start
    elapsed = min(max(1, int(now) - window.start), length)
    left = length - elapsed
    # use per second = rate / scale, without a float: amounts may be larger than a float is exact
    rate, scale = settled, elapsed
    if past is not None and past.seconds > 0:
        rate, scale = settled * past.seconds + left * past.settled, length * past.seconds
    at_end = settled + rate * left // scale
    if settled >= cap:
        return Projection(at_end, int(now))
    if at_end < cap or rate <= 0:
        return Projection(at_end, 0)
    return Projection(at_end, window.start + elapsed + -(-(cap - settled) * scale // rate))
