"""What a pause costs: that every pause is measured as often as asked, after work and with nothing between."""

from __future__ import annotations

import numpy as np

from bench.cold import measure, reading


def test_every_pause_is_measured_after_other_work() -> None:
    calls: list[int] = []
    found = measure(lambda: calls.append(1), (0.0, 0.0001), 5)
    assert set(found) == {0.0, 0.0001}
    assert all(value >= 0 for value in found.values())
    assert len(calls) == 2 * 2 * 5


def test_a_pause_can_be_filled() -> None:
    filled: list[int] = []
    measure(lambda: None, (0.0,), 3, lambda: filled.append(1))
    before = len(filled)
    measure(lambda: None, (0.0005,), 3, lambda: filled.append(1))
    assert len(filled) > before + 3


def test_what_reads_memory_reads_all_of_it() -> None:
    found = reading(16)()
    assert sorted(np.asarray(found).tolist()) == list(range(16 * 1024 // 24))
