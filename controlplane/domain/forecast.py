"""How much output to expect of a request: the 95th percentile of what requests like it used lately. Pure.

One small histogram per (tenant, model), with buckets a tenth apart so that the answer is at most a tenth too
high, and counts that fade: after `HALF_LIFE` further requests an old one counts half. Bounded in number; no
text is seen.
"""

from __future__ import annotations

from math import ceil, log

COLD_START = 512
"""Expected while fewer than `ENOUGH` requests are known."""
ENOUGH = 4
HALF_LIFE = 200
PERCENTILE = 0.95
MAX_LANES = 100_000
"""Pairs of tenant and model remembered; beyond it the oldest is forgotten."""

_RATIO = log(1.1)


def bucket(tokens: int) -> int:
    """Index of the smallest bucket that covers so many tokens."""
    return ceil(log(tokens) / _RATIO - 1e-9) if tokens > 1 else 0


def ceiling(index: int) -> int:
    """The most tokens a bucket covers."""
    return int(1.1**index + 1e-6)


class Histogram:
    """Fading counts by bucket."""

    __slots__ = ("_counts", "_known", "_weight")

    def __init__(self) -> None:
        self._counts: dict[int, float] = {}
        self._weight = 1.0
        self._known = 0

    def add(self, tokens: int) -> None:
        """One more request used so many tokens."""
        self._weight *= 2 ** (1 / HALF_LIFE)  # newer ones weigh more: fading without touching the old
        index = bucket(tokens)
        self._counts[index] = self._counts.get(index, 0.0) + self._weight
        self._known += 1
        if self._weight > 1e9:
            self._rescale()

    def percentile(self) -> int | None:
        """Tokens that cover `PERCENTILE` of recent requests; None while too few are known."""
        if self._known < ENOUGH:
            return None
        left = sum(self._counts.values()) * (1 - PERCENTILE)
        top = max(self._counts)
        for index in sorted(self._counts, reverse=True):
            top = index
            left -= self._counts[index]
            if left < 0:
                break
        return max(1, ceiling(top))

    def _rescale(self) -> None:
        self._counts = {i: c / self._weight for i, c in self._counts.items() if c / self._weight > 1e-6}
        self._weight = 1.0


class Forecast:
    """Implements `ports.OutputForecast`; learns from settled requests."""

    __slots__ = ("_answers", "_lanes")

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str], Histogram] = {}
        self._answers: dict[tuple[str, str], int] = {}

    def learn(self, tenant: str, model: str, output_tokens: int) -> None:
        """A request for this model ended normally with so much output."""
        lane = tenant, model
        histogram = self._lanes.get(lane)
        if histogram is None:
            if len(self._lanes) >= MAX_LANES:
                oldest = next(iter(self._lanes))
                del self._lanes[oldest]
                self._answers.pop(oldest, None)
            histogram = self._lanes[lane] = Histogram()
        histogram.add(output_tokens)
        self._answers.pop(lane, None)

    def expected_output(self, tenant: str, model: str) -> int:
        """See `ports.OutputForecast`."""
        lane = tenant, model
        answer = self._answers.get(lane)
        if answer is None:
            histogram = self._lanes.get(lane)
            answer = (histogram.percentile() if histogram else None) or COLD_START
            self._answers[lane] = answer
        return answer
