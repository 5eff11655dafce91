from __future__ import annotations

import asyncio
import time

import pytest

from dataplane.extproc.pace import FEW_STREAMS, Finished, Pace


def steps(count, log=None, seconds=0.0):
    for number in range(count):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass
        if log is not None:
            log.append(number)
        yield
    return "result"


async def finish(pace, work):
    while True:
        try:
            await pace.slice(work)
        except Finished as done:
            return done.value


async def test_many_short_steps_are_one_slice():
    with pytest.raises(Finished) as done:
        await Pace().slice(steps(10))
    assert done.value.value == "result"


async def test_others_run_between_the_steps_of_several_long_works():
    pace, log, turns = Pace(), [], []
    pace.streams = 3

    async def other():
        while len(log) < 6:
            turns.append(len(log))
            await asyncio.sleep(0)

    works = [finish(pace, steps(3, log, seconds=0.008)) for _ in range(2)]
    assert await asyncio.gather(*works, other()) == ["result", "result", None]
    assert set(range(1, 6)) <= set(turns)


async def test_an_error_leaves_the_turn_to_others():
    def broken():
        yield
        raise ValueError("choked")

    pace = Pace()
    with pytest.raises(ValueError, match="choked"):
        await pace.slice(broken())
    assert await finish(pace, steps(1)) == "result"


def test_streams_are_few_up_to_a_number():
    pace = Pace()
    assert pace.few
    pace.streams = FEW_STREAMS
    assert pace.few
    pace.streams += 1
    assert not pace.few
