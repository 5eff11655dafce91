"""From a text to what in it may be a name: morphemes, the network over them, runs of those that are likely enough.

Strategy: what the network needs of a morpheme is worked out when it is first met and remembered (`Layers.shares`), by
itself and with what stands beside it; rare characters, of which it knows nothing, share it. Frequent morphemes are known
from the start and never forgotten.
Guarantees: bounded memory; the same answer whatever was remembered. Not thread-safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import sudachipy

from recognizers.names import NameLists
from recognizers.person_features import BESIDES, Featurizer, Rows
from recognizers.person_gate import Floats, Places
from recognizers.person_layers import Judged
from recognizers.person_network import Network

# Morphemes remembered, and what they give to the first layer, once for all that look the same to the network and again
# with what was beside them: about 75 MB. When either is full all but the frequent ones are forgotten.
MEMORY = 32_000
# A text adds two per morpheme at most.
_ROOM = 8_000
# Probability of beginning a name from which one that follows another directly is a name of its own.
BEGINS = 0.75
# Probability of a morpheme beside one that is above the threshold: names seldom stop half-way.
JOINS = 0.1


class Span(NamedTuple):
    """A name in folded offsets with its probability; `plain` if only its neighbours speak for it."""

    start: int
    end: int
    score: float
    plain: bool


class Run(NamedTuple):
    """Rows from `first` to `last`, both included, and the best probability among them."""

    first: int
    last: int
    score: float


class Tagger:
    """Finds what may be names in short texts (a few thousand characters)."""

    def __init__(self, dictionary: sudachipy.Dictionary, names: NameLists, network: Network) -> None:
        self.names = names
        self._network = network
        self._featurizer = Featurizer(dictionary, names)
        # Memory is taken page by page as it is filled. Number 0 stays zeros: what lies beyond the text.
        self._shares = np.zeros((MEMORY + _ROOM, network.layers.looks, network.width), np.float32)
        self._filled = 1
        self._numbers = np.zeros(MEMORY + _ROOM, np.intp)
        self._facts = 0
        # The number of the shares of what is the sum of these parts; and of that with something beside it.
        self._known: dict[tuple[int, ...], int] = {}
        self._beside: dict[int, int] = {}
        self._featurizer.learn(network.frequent)
        self._learn()
        self._kept = self._facts, self._filled, self._known.copy()

    @property
    def remembered(self) -> int:
        """How many morphemes are remembered."""
        return self._facts

    def spans(self, text: str, threshold: float, least: float) -> list[Span]:
        """What could be a name, in order: see `runs`."""
        rows, judged = self.tag(text)
        return [
            Span(
                rows.starts[run.first],
                rows.ends[run.last],
                run.score,
                run.first == run.last and self._featurizer.plain(rows, run.first),
            )
            for run in runs(judged, threshold, least)
        ]

    def tag(self, text: str) -> tuple[Rows, Judged]:
        """The rows of a text, and which of them may belong to names."""
        rows, numbers = self.read(text)
        return rows, self.judge(rows, numbers)

    def judge(self, rows: Rows, numbers: Places) -> Judged:
        """Which of the rows may belong to names; arguments as `read` returns them."""
        return self._network.layers.judge(self._shares, numbers, rows.breaks)

    def states(self, text: str, layers: int) -> Floats:
        """The states of the rows of a text after so many layers, shape (rows, width)."""
        rows, numbers = self.read(text)
        return self._network.layers.states(self._shares, numbers, rows.breaks, layers)

    def read(self, text: str) -> tuple[Rows, Places]:
        """The rows of a text, and which of the remembered `shares` each has."""
        if max(self._filled, self._facts) > MEMORY:
            self._forget()
        rows = self._featurizer.rows(text)
        if len(self._featurizer.facts) > self._facts:
            self._learn()
        numbers = self._numbers.take(rows.tokens)
        touched = rows.beside.nonzero()[0]
        if len(touched):
            keys = (numbers.take(touched) * BESIDES + rows.beside.take(touched)).tolist()
            found = [self._beside.get(key, 0) for key in keys]
            numbers[touched] = found if all(found) else self._learn_beside(keys)
        return rows, numbers

    def _forget(self) -> None:
        self._facts, self._filled, known = self._kept
        self._featurizer.forget(self._facts)
        self._known = known.copy()
        self._beside.clear()

    def _learn(self) -> None:
        parts = self._network.parts(self._featurizer.facts[self._facts :])
        new = [part for part in dict.fromkeys(parts) if part not in self._known]
        if new:
            first = self._add(self._network.vectors(new))
            self._known.update(zip(new, range(first, first + len(new)), strict=True))
        self._numbers[self._facts : self._facts + len(parts)] = [self._known[part] for part in parts]
        self._facts += len(parts)

    def _learn_beside(self, keys: Sequence[int]) -> list[int]:
        """The numbers of morphemes with something beside them: number times `BESIDES` plus `Rows.beside`."""
        new = [key for key in dict.fromkeys(keys) if key not in self._beside]
        numbers, beside = np.divmod(np.array(new, np.intp), BESIDES)
        states = self._shares[numbers, 0]
        first = self._add(states + self._network.beside.take(beside, axis=0))
        self._beside.update(zip(new, range(first, first + len(new)), strict=True))
        return [self._beside[key] for key in keys]

    def _add(self, states: Floats) -> int:
        first, self._filled = self._filled, self._filled + len(states)
        self._shares[first : self._filled] = self._network.layers.shares(states)
        return first


def runs(judged: Judged, threshold: float, least: float) -> Iterator[Run]:
    """Neighbouring morphemes above `threshold`, and runs above `least` that have none above `threshold`.

    A morpheme that surely begins a name starts a new run; a doubtful one is the given name after a family name. Beside
    a sure morpheme `JOINS` is enough.
    """
    chances = 1 - judged.scores[:, 0]
    kept = (chances >= least).nonzero()[0]
    if not len(kept):
        return
    # Few morphemes are left: plain numbers are quicker than arrays from here.
    places, named = judged.places[kept].tolist(), chances[kept].tolist()
    begins = (judged.scores[kept, 1] > BEGINS).tolist()
    follows = [False, *(place == before + 1 for before, place in pairwise(places))]
    sure = _sure(named, follows, threshold)
    index = 0
    while index < len(named):
        last = index
        while (
            last + 1 < len(named)
            and follows[last + 1]
            and sure[last + 1] == sure[last]
            and not (begins[last + 1] and named[last] >= threshold)
        ):
            last += 1
        yield Run(places[index], places[last], max(named[index : last + 1]))
        index = last + 1


def _sure(named: list[float], follows: list[bool], threshold: float) -> list[bool]:
    """Which are above `threshold`, or above `JOINS` and directly beside such a one, in both directions."""
    sure = [chance >= threshold for chance in named]
    for index in range(1, len(named)):
        if follows[index] and sure[index - 1] and named[index] >= JOINS:
            sure[index] = True
    for index in range(len(named) - 1, 0, -1):
        if follows[index] and sure[index] and named[index - 1] >= JOINS:
            sure[index - 1] = True
    return sure
