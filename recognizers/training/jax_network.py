"""The tagger's network in JAX, for training: parameters, forward pass, loss and one step of Adam.

`forward` computes what `recognizers.person_network.Network` computes; a test of the exported file compares them.
"""

from __future__ import annotations

from typing import Any

import jax  # type: ignore[import-not-found,unused-ignore]
import jax.numpy as jnp  # type: ignore[import-not-found,unused-ignore]

from recognizers.person_features import FLAGS
from recognizers.person_network import AFFIXES, Vocabulary

# Which neighbours each layer sees; to the right little, for a stream has to wait for it.
OFFSETS = [[-2, -1, 0, 1, 2], [-2, -1, 0, 1], [-4, -2, 0, 1], [-8, -4, 0]]
WIDTH = 96
COLUMNS = ("word", "pos", "len", "shape", "c0", "c1", "c2", "d0", "d1", "pre", "suf")
LETTERS = ("c0", "c1", "c2", "d0", "d1")
DROP = {"word": 0.2, "vec": 0.1, "flag": 0.2, "char": 0.08, "hidden": 0.2}
Params = dict[str, Any]


def initial(key: Any, vocabulary: Vocabulary, size: int) -> Params:
    """Random parameters; word vectors have `size` numbers."""
    keys = iter(jax.random.split(key, 40))
    rows = {
        "word": max(vocabulary.words.values()) + 1, "pos": len(vocabulary.pos) + 1, "len": 9,
        "shape": max(vocabulary.shapes.values()) + 1, "pre": AFFIXES + 1, "suf": AFFIXES + 1,
    }  # fmt: skip
    letters = max(vocabulary.chars.values()) + 1

    def normal(*shape: int, scale: float = 0.08) -> Any:
        return jax.random.normal(next(keys), shape) * scale

    layers = [
        {"w": normal(len(o) * WIDTH, WIDTH, scale=(1.5 / (len(o) * WIDTH)) ** 0.5), "b": jnp.zeros(WIDTH)}
        for o in OFFSETS
    ]
    return {
        "emb": {name: normal(rows.get(name, letters), WIDTH) for name in COLUMNS},
        "vec": normal(size, WIDTH), "flag": normal(FLAGS + 1, WIDTH), "space": normal(3, WIDTH), "pr": normal(4, WIDTH), "pl": normal(4, WIDTH),
        "layers": layers, "out": {"w": normal(WIDTH, 4, scale=0.05), "b": jnp.zeros(4)},
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


def forward(params: Params, known: tuple[Any, Any], inputs: Any, key: Any = None) -> Any:
    """Logits, shape (rows, morphemes, 4). The same computation as `Network.probabilities`, with dropout if `key`.

    `known`: the table of morphemes (`train.fact_table`) and the word vectors.
    """
    noise = _Noise(key)
    table, meanings = known
    tokens, sentence = inputs[..., 0], inputs[..., 4]
    mask = (tokens > 0)[..., None].astype(jnp.float32)
    facts = table[tokens]
    state = jnp.zeros((*tokens.shape, WIDTH))
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
    state = state + (params["flag"][flags] * (flags > 0)[..., None]).sum(-2)
    state = state + params["space"][inputs[..., 1]] + params["pr"][inputs[..., 2]] + params["pl"][inputs[..., 3]]
    state = noise.drop(state * mask, DROP["hidden"])
    for layer, offsets in zip(params["layers"], OFFSETS, strict=True):
        parts = [_seen(state, sentence, offset) for offset in offsets]
        update = jax.nn.relu(jnp.concatenate(parts, -1) @ layer["w"] + layer["b"])
        state = (state + noise.drop(update, DROP["hidden"])) * mask
    return state @ params["out"]["w"] + params["out"]["b"]


def _seen(state: Any, sentence: Any, offset: int) -> Any:
    shifted = _shift(state, offset)
    return shifted * (_shift(sentence, offset) == sentence)[..., None] if offset > 0 else shifted


def loss_of(params: Params, known: tuple[Any, Any], inputs: Any, tags: Any, key: Any) -> Any:
    """Mean cross-entropy over real morphemes."""
    logs = jax.nn.log_softmax(forward(params, known, inputs, key))
    weights = (tags >= 0).astype(jnp.float32)
    # The fifth tag: no name of a person, but perhaps of something else.
    logs = jnp.concatenate([logs, jnp.logaddexp(logs[..., :1], logs[..., 3:])], -1)
    losses = -jnp.take_along_axis(logs, jnp.maximum(tags, 0)[..., None], -1)[..., 0]
    return (losses * weights).sum() / jnp.maximum(weights.sum(), 1)


@jax.jit  # type: ignore[untyped-decorator,unused-ignore]
def step(
    state: tuple[Params, Params, Params],
    count: Any,
    rate: Any,
    known: tuple[Any, Any],
    batch: tuple[Any, Any],
    key: Any,
) -> Any:
    """One Adam step (0.9, 0.99, weight decay 0.001, gradient norm at most 1): the new state and the loss."""
    params, first, second = state
    loss, gradient = jax.value_and_grad(loss_of)(params, known, *batch, key)
    norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(gradient)))
    gradient = jax.tree.map(lambda g: g * jnp.minimum(1, 1 / (norm + 1e-6)), gradient)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda s, g: 0.99 * s + 0.01 * g * g, second, gradient)

    def moved(p: Any, m: Any, s: Any) -> Any:
        scaled = (m / (1 - 0.9**count)) / (jnp.sqrt(s / (1 - 0.99**count)) + 1e-8)
        return p - rate * (scaled + 1e-3 * p)

    return (jax.tree.map(moved, params, first, second), first, second), loss


@jax.jit  # type: ignore[untyped-decorator,unused-ignore]
def averaged(average: Params, params: Params, keep: Any) -> Params:
    """The running mean of the parameters, which is what gets published: `keep` of the old, the rest of the new."""
    return jax.tree.map(lambda old, new: keep * old + (1 - keep) * new, average, params)  # type: ignore[no-any-return,unused-ignore]
