"""Feeding the same data whole, byte by byte and cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T", str, bytes)


def cut(data: T, places: Sequence[int]) -> list[T]:
    """Cut `data` at the given places (any order, repeats allowed: they make empty pieces)."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def single(data: T) -> list[T]:
    """One unit per piece."""
    return [data[index : index + 1] for index in range(len(data))]


cuts = st.lists(st.integers(min_value=0, max_value=1 << 16), max_size=12)
