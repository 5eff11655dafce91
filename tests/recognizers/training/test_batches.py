"""Packing samples into batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizers.training.batches import DISTINCT, GAP, NOTHING, ROW, SIZE, Sample, batches


def sample(size: int, first: int = 1, *, soft: bool = False) -> Sample:
    """`size` morphemes with tokens `first`, `first` + 1, …"""
    inputs = np.zeros((size, 5), np.int32)
    inputs[:, 0] = np.arange(first, first + size)
    return Sample(inputs, np.ones(size, np.int32), np.full((size, 4), 0.25, np.float16) if soft else None)


@given(st.lists(st.integers(1, 3 * ROW), max_size=40))
def test_every_morpheme_stands_in_one_place_and_no_two_samples_touch(sizes: list[int]) -> None:
    samples = [sample(size) for size in sizes]
    seen = [np.zeros(size, np.int32) for size in sizes]
    for batch, places in batches(samples, range(len(samples))):
        assert (batch.distinct[batch.places] == batch.inputs[..., 0]).all()
        filled = (batch.inputs[..., 0] > 0).sum()
        assert filled == sum(place.length for place in places) == (batch.tags != NOTHING).sum()
        ends: dict[int, int] = {}
        for number, start, row, column, length in places:
            assert column + length <= ROW
            assert row < SIZE
            assert column >= ends.get(row, -GAP) + GAP
            ends[row] = column + length
            assert (
                batch.inputs[row, column : column + length, 0] == samples[number].inputs[start : start + length, 0]
            ).all()
            seen[number][start : start + length] += 1
    assert all((count == 1).all() for count in seen)


def test_what_teachers_hold_likely_stands_where_the_morphemes_stand() -> None:
    (batch, _), *_ = batches([sample(3), sample(2, soft=True)], [0, 1])
    assert batch.soft[0, :3].sum() == 0
    assert (batch.soft[0, 3 + GAP : 5 + GAP] == 0.25).all()


def test_too_many_distinct_morphemes_are_refused() -> None:
    crowd = [sample(ROW, first=1 + ROW * number) for number in range(DISTINCT // ROW + 1)]
    with pytest.raises(ValueError, match="distinct morphemes"):
        list(batches(crowd, range(len(crowd))))
