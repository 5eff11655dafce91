"""Fits the gate (`recognizers.person_gate`) to the model file that is there: `python -m recognizers.training.gate`.

About a minute on one core. A logistic regression on the states after the second layer tells what the whole network
holds for a possible name; its bias is then lowered until the morphemes of the documents that could count
(probability of a name of at least `person.LEAST`) pass, all but `SHUT_OUT` of them and with a margin. Run it after each training.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import sudachipy

from recognizers.folded import FoldedText
from recognizers.names import NameLists
from recognizers.person import LEAST, SLICE
from recognizers.person_gate import Gate
from recognizers.person_network import MODEL, Network
from recognizers.person_tagger import Tagger
from recognizers.training.labelled import labelled
from recognizers.training.widen import read_documents

AFTER = 2
SEEDS = (701,)
MARGIN = 0.5
# Share of possible names that may be shut out: a single odd one among a hundred thousand must not open the gate to all.
SHUT_OUT = 2e-4
_WEIGHT_OF_NAMES = 10.0
_RIDGE = 0.1
_STEPS = 12
_PER_TEXT = 8
_EVERY = 3

Doubles = npt.NDArray[np.float64]


def texts() -> Iterator[str]:
    """Drawn documents and a third of the whole ones, some together as a text."""
    drawn = itertools.chain.from_iterable(read_documents(seed) for seed in SEEDS)
    given = itertools.chain(drawn, itertools.islice(labelled(), 0, None, _EVERY))
    while group := list(itertools.islice(given, _PER_TEXT)):
        yield FoldedText("\n".join(document.text for document in group)).folded[:SLICE]


def observed(tagger: Tagger, given: Iterable[str], after: int) -> tuple[Doubles, Doubles]:
    """States after `after` layers, and the probability of a name, one row per morpheme; `tagger` has no gate."""
    states: list[Doubles] = []
    named: list[Doubles] = []
    for text in given:
        states.append(tagger.states(text, after).astype(np.float64))
        named.append(1.0 - tagger.tag(text)[1].scores[:, 0].astype(np.float64))
    return np.concatenate(states), np.concatenate(named)


def fit(states: Doubles, named: Doubles, after: int) -> Gate:
    """The gate that lets the rows pass whose probability is `LEAST`, but for `SHUT_OUT`, and as few others as it can."""
    mean, scale = states.mean(axis=0), states.std(axis=0) + 1e-6
    inputs = np.column_stack([(states - mean) / scale, np.ones(len(states))])
    hot = named >= LEAST / 2
    weight = np.where(hot, _WEIGHT_OF_NAMES, 1.0)
    found = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        guess = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        slope = inputs.T @ (weight * (guess - hot)) + _RIDGE * found
        curve = (inputs * (weight * guess * (1 - guess))[:, None]).T @ inputs + _RIDGE * np.eye(len(found))
        found -= np.linalg.solve(curve, slope)
    least = float(np.quantile(inputs[named >= LEAST] @ found, SHUT_OUT))
    weights = found[:-1] / scale
    bias = float(found[-1] - (mean / scale) @ found[:-1]) - least + MARGIN
    return Gate(after, weights.astype(np.float32), bias)


def main() -> None:
    """Fit and write."""
    network = Network.load()
    network.layers.gate = None
    tagger = Tagger(sudachipy.Dictionary(), NameLists.load(), network)
    states, named = observed(tagger, texts(), AFTER)
    gate = fit(states, named, AFTER)
    gate.save(hashlib.sha256(MODEL.read_bytes()).hexdigest())
    share = len(gate.passing(states.astype(np.float32))) / len(states)
    print(f"{len(states):,} morphemes, {np.mean(named >= LEAST):.1%} possible names, {share:.1%} pass")


if __name__ == "__main__":
    main()
