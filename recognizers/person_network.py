"""The tagger: a small convolutional network over morphemes, in numpy.

Strategy: every distinct morpheme has one vector, the sum of its learnt parts (word, part of speech, letters, name
lists), made once and kept. A text is then a few gathers and matrix products: residual layers, each of which sees some
neighbours to the left and fewer to the right, and a last layer with three outputs (no name, begins a name, goes on).
The last of them are computed only for what may still be a name (`person_gate`).
Guarantees: the same numbers for the same morphemes whatever the text around their window; no neighbour to the
right is seen beyond the end of the sentence. `right_context` and `left_context` count morphemes.
Trained by `recognizers/training/train.py`; the model card is `recognizers/models/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recognizers.person_features import Fact, Rows
from recognizers.person_gate import Gate, needed

MODEL = Path(__file__).with_name("models") / "person.npz"
Floats = npt.NDArray[np.float32]
_LETTER_COLUMNS = (("c0", 0), ("c1", 1), ("c2", 2), ("d0", -1), ("d1", -2))
AFFIXES = 4095
_SHAPE_LIMIT = 12
_UNKNOWN = 1
_PAIRS = 4
# Tables in which row 0 stands for none.
_OPTIONAL = frozenset({"pos", "c0", "c1", "c2", "d0", "d1", "pre", "suf"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the network knows by name; everything else is row 1 (unknown) of its table."""

    words: dict[str, int]
    chars: dict[str, int]
    pos: dict[str, int]
    shapes: dict[str, int]


def shape_of(surface: str) -> str:
    """The surface with each run of one kind of character as one sign: `Sato2` → `Aa0`, `渡辺` → `漢`."""
    signs: list[str] = []
    for char in surface[:_SHAPE_LIMIT]:
        sign = _sign(char)
        if not signs or signs[-1] != sign:
            signs.append(sign)
    return "".join(signs)


def _sign(char: str) -> str:
    if "\u4e00" <= char <= "\u9fff" or char in "々〆" or char > "\uffff":
        return "漢"
    if "\u3041" <= char <= "\u309f":
        return "あ"
    if "\u30a0" <= char <= "\u30ff":
        return "ア"
    if char.isupper():
        return "A"
    if char.islower():
        return "a"
    if char.isdigit():
        return "0"
    return char if char in "\n\t:,|\"'()/・." else "."


def affix(text: str) -> int:
    """Bucket of a prefix or suffix (FNV-1a), 1 to `AFFIXES`; row 0 stands for none."""
    state = 2166136261
    for byte in text.encode():
        state = ((state ^ byte) * 16777619) & 0xFFFFFFFF
    return 1 + state % AFFIXES


def columns_of(fact: Fact, vocabulary: Vocabulary) -> dict[str, int]:
    """The row of each embedding table that a morpheme takes; 0 means none."""
    surface = fact.surface
    size = len(surface)
    long_word = size >= 4 and not "\u4e00" <= surface[0] <= "\u9fff"
    columns = {
        "word": vocabulary.words.get(surface.lower(), _UNKNOWN),
        "pos": vocabulary.pos.get(fact.pos, 0),
        "len": min(size, 6) + (size > 9) + 1,
        "shape": vocabulary.shapes.get(shape_of(surface), _UNKNOWN),
        "pre": affix("p" + surface[:3].lower()) if long_word else 0,
        "suf": affix("s" + surface[-3:].lower()) if long_word else 0,
    }
    for name, index in _LETTER_COLUMNS:
        inside = -size <= index < size
        columns[name] = vocabulary.chars.get(surface[index], _UNKNOWN) if inside else 0
    return columns


class Network:
    """The trained tagger; immutable after loading, so it can be shared by forked processes."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]], meta: dict[str, Any], gate: Gate | None = None) -> None:
        self.gate = gate
        self.vocabulary = Vocabulary(**{key: dict(meta[key]) for key in ("words", "chars", "pos", "shapes")})
        self.offsets: list[list[int]] = meta["offsets"]
        # Frequent morphemes (surface, number of the part of speech) to make vectors of before the first text.
        self.frequent: list[tuple[str, int]] = [(surface, pos) for surface, pos in meta.get("frequent", [])]
        self._tables: dict[str, Floats] = {
            key[4:]: value.astype(np.float32) for key, value in arrays.items() if key.startswith("emb_")
        }
        for name in self._tables.keys() & _OPTIONAL:
            self._tables[name][0] = 0
        # What stands beside a morpheme, by (spaces before it, what it makes with the next, with the one before).
        space, right, left = (arrays[key].astype(np.float32) for key in ("space", "pr", "pl"))
        self._beside = (space[:, None, None] + right[None, :_PAIRS, None] + left[None, None, :_PAIRS]).reshape(
            -1, space.shape[1]
        )
        count = len(self.offsets)
        self._looks = [np.asarray(offsets, np.intp) for offsets in self.offsets]
        self._weights = [np.ascontiguousarray(arrays[f"w{i}"].astype(np.float32)) for i in range(count)]
        self._biases = [arrays[f"b{i}"].astype(np.float32) for i in range(count)]
        self._out, self._out_bias = arrays["w_out"].astype(np.float32), arrays["b_out"].astype(np.float32)
        self.width = int(self._out.shape[0])

    @classmethod
    def load(cls, path: Path = MODEL) -> Network:
        """Reads a model file, and the gate if it is this file's. Raises OSError, ValueError or KeyError if it cannot."""
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        meta = json.loads(arrays.pop("meta").tobytes().decode())
        return cls(arrays, meta, Gate.load(hashlib.sha256(path.read_bytes()).hexdigest()))

    @property
    def right_context(self) -> int:
        """How many morphemes to the right a decision can depend on (never beyond the sentence)."""
        return sum(max(0, *offsets) for offsets in self.offsets)

    @property
    def left_context(self) -> int:
        """How many morphemes to the left a decision can depend on."""
        return -sum(min(0, *offsets) for offsets in self.offsets)

    def vectors(self, facts: Sequence[Fact]) -> Floats:
        """The vectors of distinct morphemes, shape (len(facts), width)."""
        columns = [columns_of(fact, self.vocabulary) for fact in facts]
        total = np.zeros((len(facts), self.width), np.float32)
        for name, table in self._tables.items():
            if name != "flag":
                total += table[[row[name] for row in columns]]
        flags = self._tables["flag"]
        for place, fact in enumerate(facts):
            for flag in fact.flags:
                total[place] += flags[flag + 1]
        return total

    def probabilities(self, vectors: Floats, rows: Rows) -> Floats:
        """Shape (morphemes, 3): no name, begins a name, inside a name. `vectors` has one row per morpheme."""
        gate = self.gate
        if gate is None:
            return self._judge(self.states(vectors, rows, len(self.offsets)))
        state = self.states(vectors, rows, gate.after)
        wanted = gate.passing(state)
        scores = np.zeros((len(state), 3), np.float32)
        scores[:, 0] = 1
        if len(wanted):
            scores[wanted] = self._judge(self._finished(state, wanted, rows, gate.after))
        return scores

    def states(self, vectors: Floats, rows: Rows, layers: int) -> Floats:
        """The state of every morpheme after so many layers, shape (morphemes, width)."""
        beside = rows.spaces * _PAIRS
        beside += rows.pairs
        beside *= _PAIRS
        beside[1:] += rows.pairs[:-1]
        state = self._beside.take(beside, axis=0)
        state += vectors
        for offsets, weight, bias in zip(self.offsets[:layers], self._weights, self._biases, strict=False):
            state += _update(self._window(state, offsets, rows.sentence), weight, bias)
        return state

    def _finished(self, state: Floats, wanted: npt.NDArray[np.intp], rows: Rows, done: int) -> Floats:
        """The last states of `wanted`, from the states of all morphemes after `done` layers."""
        size, width = state.shape
        # One more row, of zeros, for what lies beyond the text or the sentence: the last, hence also number -1.
        padded = np.zeros((size + 1, width), np.float32)
        padded[:size] = state
        for number, places in enumerate(needed(wanted, self.offsets[done:], size), done):
            looks = places[:, None] + self._looks[number]
            np.maximum(looks, -1, out=looks)
            if self._looks[number].max() > 0:
                last = rows.sentence.searchsorted(rows.sentence.take(places), side="right")
                looks[looks >= last[:, None]] = -1
            window = padded.take(looks, axis=0).reshape(len(places), -1)
            padded[places] = _update(window, self._weights[number], self._biases[number]) + padded.take(places, axis=0)
        return padded.take(wanted, axis=0)

    def _judge(self, state: Floats) -> Floats:
        logits = state @ self._out + self._out_bias
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        scores: Floats = logits / logits.sum(axis=1, keepdims=True)
        return scores

    def _window(self, state: Floats, offsets: list[int], sentence: npt.NDArray[np.int32]) -> Floats:
        size, width = state.shape
        window = np.empty((size, len(offsets) * width), np.float32)
        for place, offset in enumerate(offsets):
            part = window[:, place * width : (place + 1) * width]
            if offset == 0:
                part[:] = state
            elif offset < 0:
                part[:-offset] = 0
                part[-offset:] = state[:offset]
            else:
                part[:-offset] = state[offset:]
                part[-offset:] = 0
                # Few morphemes stand at the end of a sentence: their rows are cleared, not all multiplied.
                part[np.flatnonzero(sentence[offset:] != sentence[:-offset])] = 0
        return window


def _update(window: Floats, weight: Floats, bias: Floats) -> Floats:
    update = window @ weight
    update += bias
    np.maximum(update, 0, out=update)
    return update
