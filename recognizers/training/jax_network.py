"""The tagger's network in JAX, for training: parameters, forward pass, loss and one step of Adam.

`forward` computes what `recognizers.person_network.Network` computes. Two shapes of it: the pupil, which gets published,
and teachers, which are wider, see as far to the right as to the left and beyond the end of the sentence. Teachers cost
too much, and hold a stream back too long, to be of use themselves; the pupil learns from what they find likely.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax  # type: ignore[import-not-found,unused-ignore]
import jax.numpy as jnp  # type: ignore[import-not-found,unused-ignore]

from recognizers.person_features import FLAGS
from recognizers.person_network import AFFIXES, Vocabulary
from recognizers.training.batches import TAGS, Batch

COLUMNS = ("word", "pos", "len", "shape", "c0", "c1", "c2", "d0", "d1", "pre", "suf")
LETTERS = ("c0", "c1", "c2", "d0", "d1")
DROP = {"word": 0.2, "vec": 0.1, "flag": 0.2, "char": 0.08, "hidden": 0.2}
Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """How wide the layers are, which neighbours each sees, and whether they see beyond the end of a sentence.

    `hidden`: how many numbers each layer makes before they are brought back to the width; none for as many.
    """

    width: int
    offsets: tuple[tuple[int, ...], ...]
    onwards: bool
    hidden: tuple[int | None, ...] = (None, None, None, None)


# To the right little, for a stream has to wait for it. Wide where the gate lets few morphemes through.
PUPIL = Shape(
    96,
    ((-2, -1, 0, 1, 2), (-2, -1, 0, 1), (-4, -2, -1, 0, 1), (-8, -4, -2, 0)),
    onwards=False,
    hidden=(None, None, 192, 192),
)
_ALL_ROUND = ((-2, -1, 0, 1, 2), (-2, -1, 0, 1, 2), (-4, -2, 0, 2, 4), (-8, -4, 0, 4, 8))
TEACHERS = (Shape(160, _ALL_ROUND, onwards=True), Shape(128, _ALL_ROUND, onwards=True))


def initial(key: Any, vocabulary: Vocabulary, size: int, shape: Shape) -> Params:
    """Random parameters; word vectors have `size` numbers."""
    keys = iter(jax.random.split(key, 40))
    rows = {
        "word": max(vocabulary.words.values()) + 1, "pos": len(vocabulary.pos) + 1, "len": 9,
        "shape": max(vocabulary.shapes.values()) + 1, "pre": AFFIXES + 1, "suf": AFFIXES + 1,
    }  # fmt: skip
    letters, width = max(vocabulary.chars.values()) + 1, shape.width

    def normal(*sizes: int, scale: float = 0.08) -> Any:
        return jax.random.normal(next(keys), sizes) * scale

    def layer(seen: int, hidden: int | None) -> Params:
        made = {
            "w": normal(seen * width, hidden or width, scale=(1.5 / (seen * width)) ** 0.5),
            "b": jnp.zeros(hidden or width),
        }
        return made if hidden is None else made | {"v": normal(hidden, width, scale=hidden**-0.5)}

    layers = [layer(len(offsets), hidden) for offsets, hidden in zip(shape.offsets, shape.hidden, strict=True)]
    return {
        "emb": {name: normal(rows.get(name, letters), width) for name in COLUMNS},
        "vec": normal(size, width), "flag": normal(FLAGS + 1, width), "space": normal(3, width), "pr": normal(4, width), "pl": normal(4, width),
        "layers": layers, "out": {"w": normal(width, TAGS, scale=0.05), "b": jnp.zeros(TAGS)},
    }  # fmt: skip


def _shift(state: Any, offset: int) -> Any:
    if offset == 0:
        return state
    padding = jnp.zeros((state.shape[0], abs(offset), *state.shape[2:]), state.dtype)
    parts = [state[:, offset:], padding] if offset > 0 else [padding, state[:, :offset]]
    return jnp.concatenate(parts, 1)


class _Noise:
    """Dropout, or none without a key."""

    def __init__(self, key: Any) -> None:
        self._keys = iter(jax.random.split(key, 24)) if key is not None else None

    def replace(self, ids: Any, rate: float, value: int) -> Any:
        if self._keys is None:
            return ids
        gone = jax.random.uniform(next(self._keys), ids.shape) < rate
        return jnp.where(gone & (ids > 0), value, ids)

    def drop(self, state: Any, rate: float) -> Any:
        if self._keys is None:
            return state
        return state * jax.random.bernoulli(next(self._keys), 1 - rate, state.shape) / (1 - rate)


def folded(params: Params, meanings: Any) -> Any:
    """Word vectors in the network's width: what the product's table holds."""
    return meanings @ params["vec"]


def forward(params: Params, known: tuple[Any, Any], batch: Batch, key: Any, *, shape: Shape) -> Any:
    """Logits, shape (rows, morphemes, 4). The same computation as `Network.layers`, with dropout if there is a `key`.

    `known`: the table of morphemes (`train.fact_table`) and the word vectors. A morpheme's parts are dropped for the
    whole batch.
    """
    noise = _Noise(key)
    space, right, left, sentence = (batch.inputs[..., column] for column in range(1, 5))
    mask = (batch.inputs[..., 0] > 0)[..., None].astype(jnp.float32)
    state = _vectors(params, known, batch.distinct, noise)[batch.places]
    state = state + params["space"][space] + params["pr"][right] + params["pl"][left]
    state = noise.drop(state * mask, DROP["hidden"])
    for layer, offsets in zip(params["layers"], shape.offsets, strict=True):
        parts = [_seen(state, sentence, offset, onwards=shape.onwards) for offset in offsets]
        update = noise.drop(jax.nn.relu(jnp.concatenate(parts, -1) @ layer["w"] + layer["b"]), DROP["hidden"])
        state = (state + (update @ layer["v"] if "v" in layer else update)) * mask
    return state @ params["out"]["w"] + params["out"]["b"]


def _vectors(params: Params, known: tuple[Any, Any], tokens: Any, noise: _Noise) -> Any:
    """What morphemes are by themselves: the sum of their parts."""
    table, meanings = known
    facts = table[tokens]
    state = jnp.zeros((len(tokens), params["flag"].shape[1]))
    for place, name in enumerate(COLUMNS):
        ids = facts[..., place]
        if name == "word":
            ids = noise.replace(ids, DROP["word"], 1)
        elif name in LETTERS:
            ids = noise.replace(ids, DROP["char"], 1)
        elif name in ("pre", "suf"):
            ids = noise.replace(ids, DROP["char"], 0)
        state = state + params["emb"][name][ids] * (ids > 0)[..., None]
    ids = noise.replace(facts[..., len(COLUMNS)], DROP["vec"], 0)
    state = state + folded(params, meanings[ids]) * (ids > 0)[..., None]
    flags = noise.replace(facts[..., len(COLUMNS) + 1 :], DROP["flag"], 0)
    return state + (params["flag"][flags] * (flags > 0)[..., None]).sum(-2)


def _seen(state: Any, sentence: Any, offset: int, *, onwards: bool) -> Any:
    shifted = _shift(state, offset)
    return shifted if onwards or offset <= 0 else shifted * (_shift(sentence, offset) == sentence)[..., None]


def loss_of(params: Params, known: tuple[Any, Any], batch: Batch, key: Any, *, shape: Shape) -> Any:
    """Mean cross-entropy over morphemes: with the tag, with what teachers find likely, with both by halves."""
    logs = jax.nn.log_softmax(forward(params, known, batch, key, shape=shape))
    tagged = (batch.tags >= 0).astype(jnp.float32)
    taught = (batch.soft.sum(-1) > 0).astype(jnp.float32)
    # The fifth tag: no name of a person, but perhaps of something else.
    five = jnp.concatenate([logs, jnp.logaddexp(logs[..., :1], logs[..., 3:])], -1)
    by_tag = -jnp.take_along_axis(five, jnp.maximum(batch.tags, 0)[..., None], -1)[..., 0]
    by_teacher = -(batch.soft * logs).sum(-1)
    own, theirs = tagged * (1 - taught / 2), taught * (1 - tagged / 2)
    return (by_tag * own + by_teacher * theirs).sum() / jnp.maximum((own + theirs).sum(), 1)


class State(NamedTuple):
    """Parameters, Adam's first and second moments, and the running mean of the parameters, which gets published."""

    params: Params
    first: Params
    second: Params
    mean: Params


def begin(params: Params) -> State:
    """The state before the first step."""
    zeros = jax.tree.map(jnp.zeros_like, params)
    return State(params, zeros, zeros, params)


Step = Callable[[State, float, float, tuple[Any, Any], Batch, Any], tuple[State, Any]]


def stepper(shape: Shape) -> Step:
    """One step of Adam (0.9, 0.99, weight decay 0.001, gradient norm at most 1) from step count, rate, data and key."""
    gradient_of = jax.value_and_grad(partial(loss_of, shape=shape))

    def step(state: State, count: Any, rate: Any, known: Any, batch: Batch, key: Any) -> tuple[State, Any]:
        loss, gradient = gradient_of(state.params, known, batch, key)
        norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(gradient)))
        gradient = jax.tree.map(lambda g: g * jnp.minimum(1, 1 / (norm + 1e-6)), gradient)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state.first, gradient)
        second = jax.tree.map(lambda s, g: 0.99 * s + 0.01 * g * g, state.second, gradient)

        def moved(p: Any, m: Any, s: Any) -> Any:
            scaled = (m / (1 - 0.9**count)) / (jnp.sqrt(s / (1 - 0.99**count)) + 1e-8)
            return p - rate * (scaled + 1e-3 * p)

        params = jax.tree.map(moved, state.params, first, second)
        keep = jnp.minimum(0.998, (count + 1) / (count + 10))
        mean = jax.tree.map(lambda old, new: keep * old + (1 - keep) * new, state.mean, params)
        return State(params, first, second, mean), loss

    return jax.jit(step)  # type: ignore[no-any-return,unused-ignore]


def chances(shape: Shape) -> Callable[[Params, tuple[Any, Any], Batch], Any]:
    """What a network finds likely: probabilities, shape (rows, morphemes, 4)."""

    def of(params: Params, known: tuple[Any, Any], batch: Batch) -> Any:
        return jax.nn.softmax(forward(params, known, batch, None, shape=shape))

    return jax.jit(of)  # type: ignore[no-any-return,unused-ignore]
