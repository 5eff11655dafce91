"""How much a request will use: the 95th percentile of what requests like it used lately. Pure.

One small histogram per lane, with buckets a tenth apart so that the answer is at most a tenth too high (input: a
fiftieth), and counts that fade: after `HALF_LIFE` further requests an old one counts half. Output has a lane per
(tenant, model), input one per (tenant, model, size class), where it learns which share of the estimate providers
really counted: vocabularies differ, and so do the hidden instructions that weigh on short prompts and not on long ones.
Bounded in number; no text is seen.

Output is clamped to what is held, input cannot be. So a cap holds but for input nobody foresaw: settled use passes a
cap by no more than, summed over the requests admitted before their lane's first settlement, `PROBATION` to a lane and
control-plane process, what each counts beyond its estimate at the family's 95th percentile (while still nothing is
settled, every further one holds `UNPROVEN` tokens more, and may pass the cap by what it counts beyond those), and
afterwards, summed over the requests under way at once, what the one in twenty above the learned percentile counts
beyond it. What is settled is charged in full: what was spent too much is not granted to anyone again.
"""

from __future__ import annotations

from math import ceil, log

from controlplane.domain.ports import Guess, UsageForecast

COLD_START = 512
"""Expected while fewer than `ENOUGH` requests are known."""
ENOUGH = 4
HALF_LIFE = 200
PERCENTILE = 0.95
MAX_LANES = 100_000
"""Lanes of each kind remembered; beyond it the oldest is forgotten."""
PROBATION = 8
"""Requests of one lane admitted at the estimate of their input while not one of them was settled."""
UNPROVEN = 64
"""Input tokens held beyond the estimate for every further request until one was settled."""
MOST_SHARE = 100_000
"""Thousandths of its estimate beyond which a report of input teaches nothing more."""

STEP = 1.1
"""Ratio of neighbouring buckets for output."""
SHARE_STEP = 1.02
"""The same for shares of an estimate."""


def bucket(value: int, step: float = STEP) -> int:
    """Index of the smallest bucket that covers a value."""
    return ceil(log(value) / log(step) - 1e-9) if value > 1 else 0


def ceiling(index: int, step: float = STEP) -> int:
    """The most a bucket covers."""
    return int(step**index + 1e-6)


class Histogram:
    """Fading counts by bucket."""

    __slots__ = ("_counts", "_step", "_weight", "known")

    def __init__(self, step: float = STEP) -> None:
        self._step = step
        self._counts: dict[int, float] = {}
        self._weight = 1.0
        self.known = 0
        """Values seen, faded or not."""

    def add(self, value: int) -> None:
        """One more request used so much."""
        self._weight *= 2 ** (1 / HALF_LIFE)  # newer ones weigh more: fading without touching the old
        index = bucket(value, self._step)
        self._counts[index] = self._counts.get(index, 0.0) + self._weight
        self.known += 1
        if self._weight > 1e9:
            self._rescale()

    def percentile(self) -> int:
        """What covers `PERCENTILE` of recent requests; the largest while few are known. Raises ValueError for none."""
        left = sum(self._counts.values()) * (1 - PERCENTILE)
        top = max(self._counts)
        for index in sorted(self._counts, reverse=True):
            top = index
            left -= self._counts[index]
            if left < 0:
                break
        return max(1, ceiling(top, self._step))

    def _rescale(self) -> None:
        self._counts = {i: c / self._weight for i, c in self._counts.items() if c / self._weight > 1e-6}
        self._weight = 1.0


class InputLane:
    """Input of requests of one tenant, model and size class."""

    __slots__ = ("_answer", "_asked", "_shares")

    def __init__(self) -> None:
        self._shares = Histogram(SHARE_STEP)
        self._asked = 0
        self._answer: int | None = 0

    def learn(self, estimate: int, tokens: int) -> None:
        """A provider counted so many for this estimate."""
        self._shares.add(min(MOST_SHARE, -(-1000 * tokens // estimate)))
        self._answer = None

    def expect(self, guess: Guess) -> int:
        """Tokens to hold for one more request."""
        if self._answer is None:
            self._answer = self._shares.percentile()
        share, unproven = self._answer, 0
        if self._shares.known < ENOUGH:
            share = max(share, guess.p95_permille)
            if not self._shares.known:
                self._asked += 1
                unproven = UNPROVEN if self._asked > PROBATION else 0
        return unproven - (-guess.tokens * share // 1000)


class Forecast(UsageForecast):
    """Implements `ports.UsageForecast`; learns from settled requests."""

    __slots__ = ("_answers", "_inputs", "_lanes")

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str], Histogram] = {}
        self._answers: dict[tuple[str, str], int] = {}
        self._inputs: dict[tuple[str, str, int], InputLane] = {}

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

    def learn_input(self, tenant: str, model: str, estimate: int, input_tokens: int) -> None:
        """A provider counted so much input for a request admitted with this estimate (more than 0)."""
        self._input(tenant, model, estimate).learn(estimate, input_tokens)

    def expected_output(self, tenant: str, model: str) -> int:
        """See `ports.UsageForecast`."""
        lane = tenant, model
        answer = self._answers.get(lane)
        if answer is None:
            histogram = self._lanes.get(lane)
            enough = histogram is not None and histogram.known >= ENOUGH
            answer = histogram.percentile() if histogram is not None and enough else COLD_START
            self._answers[lane] = answer
        return answer

    def expected_input(self, tenant: str, model: str, guess: Guess) -> int:
        """See `ports.UsageForecast`."""
        return self._input(tenant, model, guess.tokens).expect(guess)

    def _input(self, tenant: str, model: str, estimate: int) -> InputLane:
        # A class reaches from 8 to 63 tokens, from 64 to 511, and so on.
        key = tenant, model, estimate.bit_length() // 3
        lane = self._inputs.get(key)
        if lane is None:
            if len(self._inputs) >= MAX_LANES:
                del self._inputs[next(iter(self._inputs))]
            lane = self._inputs[key] = InputLane()
        return lane
