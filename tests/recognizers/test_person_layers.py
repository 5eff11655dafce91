"""The layers: what is computed for some morphemes is what is computed for all, and nobody sees too far."""

from __future__ import annotations

import numpy as np
import pytest

from recognizers.person_gate import Floats, Gate, Places
from recognizers.person_layers import Layer, Layers

WIDTH = 6
OFFSETS = ([-2, -1, 0, 1, 2], [-1, 0, 1], [-4, -2, 0, 1], [-8, 0])
CHANCE = np.random.default_rng(7)


def drawn(*shape: int) -> Floats:
    return CHANCE.normal(0, 0.5, shape).astype(np.float32)


HIDDEN = 11
LAYERS = [
    *(Layer(offsets, drawn(len(offsets) * WIDTH, WIDTH), drawn(WIDTH)) for offsets in OFFSETS[:2]),
    *(Layer(o, drawn(len(o) * WIDTH, HIDDEN), drawn(HIDDEN), drawn(HIDDEN, WIDTH) / 4) for o in OFFSETS[2:]),
]
OUT, OUT_BIAS = drawn(WIDTH, 4), drawn(4)
VECTORS = drawn(40, WIDTH)
EMPTY = np.zeros(0, np.intp)


def network(gate: Gate | None = None) -> Layers:
    return Layers(LAYERS, OUT, OUT_BIAS, gate)


def shares_of(layers: Layers) -> Floats:
    return np.concatenate([np.zeros((1, layers.looks, WIDTH), np.float32), layers.shares(VECTORS)])


def plainly(numbers: Places, breaks: Places) -> Floats:
    """The last states, morpheme by morpheme."""
    states = [VECTORS[number - 1] for number in numbers]
    for layer in LAYERS:
        states = [state + _update(layer, states, row, breaks) for row, state in enumerate(states)]
    return np.array(states).reshape(-1, WIDTH)


def _update(layer: Layer, states: list[Floats], row: int, breaks: Places) -> Floats:
    last = min([*(place for place in breaks.tolist() if place >= row), len(states) - 1])
    seen = [states[row + offset] if 0 <= row + offset <= last else np.zeros(WIDTH) for offset in layer.offsets]
    update: Floats = np.maximum(np.concatenate(seen) @ layer.weights + layer.bias, 0)
    return update if layer.narrow is None else update @ layer.narrow


@pytest.mark.parametrize(
    ("size", "breaks"),
    [(0, []), (1, []), (2, [0]), (3, [0, 1]), (12, []), (30, [0, 4, 5, 17, 28]), (5_000, [4_000, 4_998])],
)
def test_states_are_those_of_a_plain_computation(size: int, breaks: list[int]) -> None:
    layers, numbers, ends = network(), CHANCE.integers(1, 41, size), np.array(breaks, np.intp)
    states = layers.states(shares_of(layers), numbers, ends, len(LAYERS))
    assert np.allclose(states, plainly(numbers, ends), atol=1e-3)


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_what_passes_the_gate_has_the_probabilities_it_has_without(after: int) -> None:
    alone, weights = network(), drawn(WIDTH)
    middle = np.median(alone.states(shares_of(alone), np.arange(1, 41), EMPTY, after) @ weights)
    gated = network(Gate(after, weights, -float(middle)))
    judged_rows = 0
    for size in (1, 2, 9, 60):
        numbers, ends = CHANCE.integers(1, 41, size), np.arange(3, size - 1, 11)
        everything = alone.judge(shares_of(alone), numbers, ends)
        assert everything.places.tolist() == list(range(size))
        judged = gated.judge(shares_of(gated), numbers, ends)
        judged_rows += len(judged.places)
        assert np.allclose(judged.scores, everything.scores[judged.places], atol=1e-5)
    assert 0 < judged_rows < 72


def test_where_nothing_passes_nothing_is_judged() -> None:
    layers = network(Gate(2, np.zeros(WIDTH, np.float32), -1.0))
    judged = layers.judge(shares_of(layers), np.array([3, 4, 5]), EMPTY)
    assert (judged.places.tolist(), judged.scores.shape) == ([], (0, 3))


def test_probabilities_sum_to_one() -> None:
    layers = network()
    judged = layers.judge(shares_of(layers), np.array([3, 4, 5]), EMPTY)
    assert np.allclose(judged.scores.sum(axis=1), 1, atol=1e-5)
