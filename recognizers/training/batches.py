"""Samples (encoded documents) and the batches that training reads them in.

Rows of `ROW` morphemes hold several samples with gaps between them that are wider than any layer looks. A batch has few
distinct morphemes: they are listed apart, so that what depends on the morpheme alone is computed once for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ROW, SIZE, GAP = 160, 32, 10
DISTINCT = 2_816
TAGS = 4
Integers = npt.NDArray[np.int32]
Chances = npt.NDArray[np.float32]
# Nothing is learnt there, unless from `Sample.soft`.
NOTHING = -1


@dataclass(frozen=True, slots=True)
class Sample:
    """One document: columns token + 1, space, pair, pair before, sentence; the tag of each morpheme.

    `soft`: what teachers hold likely, shape (morphemes, `TAGS`), or None.
    """

    inputs: Integers
    tags: Integers
    soft: npt.NDArray[np.float16] | None = None


class Batch(NamedTuple):
    """`SIZE` rows: inputs (SIZE, ROW, 5), the distinct tokens, which of them each place has, tags, soft tags."""

    inputs: Integers
    distinct: Integers
    places: Integers
    tags: Integers
    soft: Chances


class Place(NamedTuple):
    """Where `length` morphemes of a sample from `start` on stand: the batch's row and column."""

    sample: int
    start: int
    row: int
    column: int
    length: int


def batches(samples: Sequence[Sample], order: Sequence[int]) -> Iterator[tuple[Batch, list[Place]]]:
    """The samples in `order`, packed. Raises ValueError for a batch with too many distinct morphemes."""
    plan: list[Place] = []
    row = column = 0
    for number in order:
        size = len(samples[number].tags)
        for start in range(0, size, ROW):
            length = min(ROW, size - start)
            if column + length > ROW:
                row, column = row + 1, 0
            if row == SIZE:
                yield _batch(samples, plan), plan
                plan, row = [], 0
            plan.append(Place(number, start, row, column, length))
            column += length + GAP
    yield _batch(samples, plan), plan


def _batch(samples: Sequence[Sample], plan: Sequence[Place]) -> Batch:
    inputs = np.zeros((SIZE, ROW, 5), np.int32)
    tags = np.full((SIZE, ROW), NOTHING, np.int32)
    soft = np.zeros((SIZE, ROW, TAGS), np.float32)
    for number, start, row, column, length in plan:
        sample, there, part = samples[number], slice(column, column + length), slice(start, start + length)
        inputs[row, there] = sample.inputs[part]
        tags[row, there] = sample.tags[part]
        if sample.soft is not None:
            soft[row, there] = sample.soft[part]
    found, places = np.unique(inputs[..., 0], return_inverse=True)
    if len(found) > DISTINCT:
        raise ValueError(f"a batch has {len(found)} distinct morphemes; at most {DISTINCT} are provided for")
    distinct = np.zeros(DISTINCT, np.int32)
    distinct[: len(found)] = found
    return Batch(inputs, distinct, places.reshape(SIZE, ROW).astype(np.int32), tags, soft)
