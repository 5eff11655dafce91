"""Polling: awake for a while after each touch, asleep otherwise."""

from __future__ import annotations

import asyncio
import itertools
import selectors
import time

import pytest
from kagamirpc.polling import QUIET_SECONDS, Polling


class Selector(selectors.DefaultSelector):
    """Counts how often the loop could have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = self.polled = 0

    def select(self, timeout: float | None = None):  # type: ignore[no-untyped-def]
        if timeout is None or timeout > 0:
            self.slept += 1
        else:
            self.polled += 1
        return super().select(timeout)


def run(linger: float, touches: int) -> tuple[Selector, list[bool]]:
    """Touch every 20 ms, then rest for 60; how the loop waited, and whether it was awake before and after the rest."""
    selector, awake = Selector(), []

    async def main() -> None:
        polling = Polling(linger)
        for _ in range(touches):
            polling.touch()
            await asyncio.sleep(0.02)
        awake.append(polling.awake)
        selector.slept = 0
        await asyncio.sleep(0.06)
        awake.append(polling.awake)
        polling.stop()
        assert not polling.awake

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(main())
    return selector, awake


def test_the_loop_never_sleeps_while_touches_follow_each_other() -> None:
    selector, awake = run(linger=10, touches=3)
    assert awake == [True, True]
    assert selector.slept == 0
    assert selector.polled > 10


def test_the_loop_sleeps_when_nothing_came_for_a_while() -> None:
    selector, awake = run(linger=0.04, touches=2)
    assert awake == [True, False]
    assert selector.slept >= 1


@pytest.mark.parametrize("touches", [0, 2])
def test_without_lingering_there_is_no_polling(touches: int) -> None:
    _, awake = run(linger=0, touches=touches)
    assert awake == [False, False]


class Steps:
    """Counts rehearsals, and fails after so many."""

    def __init__(self, good: int = 1_000_000) -> None:
        self.taken, self._good = 0, good

    def __call__(self) -> None:
        self.taken += 1
        if self.taken > self._good:
            raise ValueError("forgotten")


def rehearsed(steps: Steps, work: float = 0.0, *, linger: float = 10) -> tuple[bool, list[Exception]]:
    """A tenth of a second awake, in which each turn of the loop takes `work` seconds: still awake, and what was told."""
    told: list[Exception] = []

    async def main() -> bool:
        polling = Polling(linger, steps, told.append)
        polling.touch()
        end = time.perf_counter() + 0.1
        while time.perf_counter() < end:
            if work:
                time.sleep(work)
            await asyncio.sleep(0)
        awake = polling.awake
        polling.stop()
        return awake

    return asyncio.run(main()), told


def test_an_awake_loop_rehearses_while_it_has_nothing_to_do() -> None:
    steps = Steps()
    assert rehearsed(steps) == (True, [])
    assert steps.taken > 0


def test_a_loop_that_works_does_not_rehearse() -> None:
    steps = Steps()
    assert rehearsed(steps, work=0.002) == (True, [])
    assert steps.taken == 0


def test_a_sleeping_loop_does_not_rehearse() -> None:
    steps = Steps()
    assert rehearsed(steps, linger=0) == (False, [])
    assert steps.taken == 0


def test_nothing_is_rehearsed_before_the_loop_was_quiet_for_a_while() -> None:
    # Two readings a turn, the turns 20 µs apart: nobody was served in between.
    steps, clock = Steps(), (1 + reading // 2 * 0.00002 for reading in itertools.count())
    taken = []

    async def main() -> None:
        polling = Polling(10, steps, now=lambda: next(clock))
        polling.touch()
        for _ in range(80):
            await asyncio.sleep(0)
            taken.append(steps.taken)
        polling.stop()

    asyncio.run(main())
    quiet = round(QUIET_SECONDS / 0.00002)
    assert taken[quiet - 2] == 0
    assert taken[quiet + 2] > 0


def test_a_rehearsal_that_fails_is_told_once_and_never_tried_again() -> None:
    steps = Steps(good=2)
    awake, told = rehearsed(steps)
    assert (awake, steps.taken, [str(error) for error in told]) == (True, 3, ["forgotten"])
