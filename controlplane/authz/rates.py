"""How rate limits stand, as the response headers OpenAI's clients read. Pure.

`x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests`, and the same for tokens, of quotas with a short
window. What remains is as this replica last heard. Source: OpenAI API reference, "Rate limits in headers"; durations
are written as there (`1s`, `6m0s`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from controlplane.domain.ports import RateLimit


def headers(limits: Iterable[RateLimit], now: float) -> dict[str, str]:
    """Header names and values; `now` in Unix seconds."""
    made = {}
    for limit in limits:
        made[f"x-ratelimit-limit-{limit.counts}"] = str(limit.limit)
        made[f"x-ratelimit-remaining-{limit.counts}"] = str(limit.remaining)
        made[f"x-ratelimit-reset-{limit.counts}"] = duration(limit.resets_at - now)
    return made


def duration(seconds: float) -> str:
    """Rounded up to whole seconds, never negative: `0s`, `59s`, `6m0s`, `1h0m0s`."""
    whole = max(0, math.ceil(seconds))
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{left}s"
