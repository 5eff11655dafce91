"""Polling: awake for a while after each touch, asleep otherwise."""

from __future__ import annotations

import asyncio
import selectors

import pytest
from kagamirpc.polling import Polling


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
