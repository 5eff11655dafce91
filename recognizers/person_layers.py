"""The tagger's layers over the morphemes of one text.

Strategy: the first layer is a sum over the places it looks at, so what a morpheme gives to it (`shares`) is kept for as
long as the morpheme is remembered, and the layer is a gather and an addition. Later layers are matrix products; after
one of them a gate (`person_gate`) tells which morphemes can still become a name, and what comes after is computed for
these alone, and for what they look back at, and may be wide. Texts are short: what costs is the number of steps as much as their size.
Guarantees: pure; the same numbers for the same morphemes whatever the text around their window; no neighbour to the
right is seen beyond the end of the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recognizers.person_gate import Floats, Gate, Places

# Places looked at are worked out beforehand for texts of so many morphemes.
_USUAL = 4_096


class Layer(NamedTuple):
    """A residual layer: offsets of the neighbours it sees, weights (offsets x width, hidden), what is added.

    `narrow` (hidden, width) where the hidden numbers are more than the width; else they are the update themselves.
    """

    offsets: list[int]
    weights: Floats
    bias: Floats
    narrow: Floats | None = None


class Judged(NamedTuple):
    """Rows that may belong to a name, ascending, and their probabilities: no name, begins one, goes on with one."""

    places: Places
    scores: Floats


class Layers:
    """All layers and the outputs. Immutable, so it can be shared by forked processes."""

    def __init__(self, layers: Sequence[Layer], out: Floats, out_bias: Floats, gate: Gate | None) -> None:
        self.width: int = out.shape[0]
        # In a morpheme's shares its own state comes first.
        self.looks = len(layers[0].offsets) + 1
        self.gate = gate
        self._layers = layers
        self._out, self._out_bias = out, out_bias
        self._spread = np.concatenate(np.split(layers[0].weights, self.looks - 1), axis=1)
        # The share of the place itself is in every sum: it brings what is added.
        self._added = np.concatenate([layers[0].bias * (offset == 0) for offset in layers[0].offsets])
        offsets = [0, *(offset for layer in layers for offset in layer.offsets)]
        ends = np.cumsum([self.looks, *(len(layer.offsets) for layer in layers[1:])]).tolist()
        self._columns = [slice(*edges) for edges in zip([0, *ends], ends, strict=False)]
        # Rows of zeros before and after those of a text.
        self._left, self._right = max(1, -min(offsets)), max(offsets)
        self._offsets = np.array(offsets, np.intp) + self._left
        self._usual = np.arange(_USUAL)[:, None] + self._offsets
        self._own = np.arange(self.looks)[:, None]
        # Where those looks are that a break hides, counted from the first look of the row it comes after.
        self._beyond = np.array(
            [column - behind * len(offsets) for column, offset in enumerate(offsets) for behind in range(offset)],
            np.intp,
        )

    def shares(self, states: Floats) -> Floats:
        """What morphemes give to the first layer: shape (morphemes, looks, width), from (morphemes, width).

        Their state, then its product with the weights of each offset.
        """
        shares = np.empty((len(states), self.looks, self.width), np.float32)
        shares[:, 0] = states
        shares[:, 1:] = (states @ self._spread + self._added).reshape(len(states), self.looks - 1, self.width)
        return shares

    def judge(self, shares: Floats, numbers: Places, breaks: Places) -> Judged:
        """Which morphemes may be part of a name. Arguments as for `states`."""
        size, gate = len(numbers), self.gate
        looks = self._looks(size, breaks)
        states = self._first(shares, numbers, looks)
        done = 1 if gate is None else gate.after
        for number in range(1, done):
            self._update(states, number, slice(0, size), looks)
        inner = states[self._left : self._left + size]
        wanted = np.arange(size) if gate is None else gate.passing(inner)
        if not len(wanted):
            return Judged(wanted, np.zeros((0, 3), np.float32))
        for number, rows in zip(range(done, len(self._layers)), self._needed(wanted, done, looks), strict=False):
            self._update(states, number, rows, looks)
        return Judged(wanted, self._scores(inner.take(wanted, axis=0)))

    def states(self, shares: Floats, numbers: Places, breaks: Places, layers: int) -> Floats:
        """The states of all morphemes after so many layers, shape (morphemes, width).

        `numbers`: which of `shares` each morpheme has; number 0 must be zeros. After each row in `breaks` (ascending) a
        sentence ends.
        """
        size = len(numbers)
        looks = self._looks(size, breaks)
        states = self._first(shares, numbers, looks)
        for number in range(1, layers):
            self._update(states, number, slice(0, size), looks)
        return states[self._left : self._left + size]

    def _looks(self, size: int, breaks: Places) -> Places:
        """Where the layers look from each row, shape (rows, offsets), in rows of padded states.

        Row 0, which is zeros, in place of what lies to the right beyond the sentence.
        """
        looks = self._usual[:size] if size <= _USUAL else np.arange(size)[:, None] + self._offsets
        if len(breaks):
            looks = looks.copy()
            # Rows before the first come out as the last ones, from which there is nothing to the right anyway.
            looks.put((breaks * len(self._offsets))[:, None] + self._beyond, 0, mode="wrap")
        return looks

    def _first(self, shares: Floats, numbers: Places, looks: Places) -> Floats:
        """States after the first layer, padded."""
        size = len(numbers)
        padded = np.zeros(self._left + size + self._right, np.intp)
        np.multiply(numbers, self.looks, out=padded[self._left : self._left + size])
        index = padded.take(looks[:, self._columns[0]].T)
        index += self._own
        given = shares.reshape(-1, self.width).take(index, axis=0)
        states = np.zeros((len(padded), self.width), np.float32)
        inner = states[self._left : self._left + size]
        np.add.reduce(given[1:], axis=0, out=inner)
        np.maximum(inner, 0, out=inner)
        inner += given[0]
        return states

    def _update(self, states: Floats, number: int, rows: Places | slice, looks: Places) -> None:
        """A later layer for some rows, in place: no row that is looked at afterwards may be among those left out."""
        layer = self._layers[number]
        window = states.take(looks[rows, self._columns[number]], axis=0)
        update = window.reshape(-1, len(layer.weights)) @ layer.weights
        update += layer.bias
        np.maximum(update, 0, out=update)
        if layer.narrow is not None:
            update = update @ layer.narrow
        states[self._left : len(states) - self._right][rows] += update

    def _needed(self, wanted: Places, done: int, looks: Places) -> list[Places]:
        """For each layer after the first `done` the rows it must be computed for, so that the last is right."""
        plan = [wanted]
        for columns in reversed(self._columns[done + 1 :]):
            mark = np.zeros(self._left + len(looks) + self._right, np.bool_)
            mark[looks[plan[-1], columns]] = True
            plan.append(mark[self._left : self._left + len(looks)].nonzero()[0])
        return plan[::-1]

    def _scores(self, state: Floats) -> Floats:
        logits = state @ self._out
        logits += self._out_bias
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        # What is the name of something else is no name of a person either.
        logits[:, 0] += logits[:, 3]
        return logits[:, :3]
