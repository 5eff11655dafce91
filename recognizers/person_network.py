"""The tagger's model file: vectors of morphemes, and the layers over them (`person_layers`).

Strategy: every distinct morpheme has one vector, the sum of its learnt parts (word, meaning, part of speech, letters,
name lists), made once and kept. A text is then a few gathers and matrix products: residual layers, each of which sees some
neighbours to the left and fewer to the right, and a last layer with four outputs (no name, begins a name, goes on, or
the name of something else: a company, a place).
`right_context` and `left_context` count morphemes.
Trained by `recognizers/training/train.py`; the model card is `recognizers/models/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recognizers.person_features import Fact
from recognizers.person_gate import Gate
from recognizers.person_layers import Layer, Layers
from recognizers.word_rows import WordRows

MODEL = Path(__file__).with_name("models") / "person.npz"
Floats = npt.NDArray[np.float32]
# The tables a morpheme has one row of; the flags of the name lists come on top.
COLUMNS = ("word", "pos", "len", "shape", "c0", "c1", "c2", "d0", "d1", "pre", "suf", "vec")
AFFIXES = 4095
_SHAPE_LIMIT = 12
_SIGNS_KEPT = 16_384
_UNKNOWN = 1
_PAIRS = 4
# Vectors made at once: a sum's parts are all in memory.
_AT_ONCE = 512
# Tables in which row 0 stands for none.
_OPTIONAL = frozenset({"vec", "pos", "c0", "c1", "c2", "d0", "d1", "pre", "suf"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the network knows by name; everything else is row 1 (unknown) of its table."""

    words: dict[str, int]
    chars: dict[str, int]
    pos: dict[str, int]
    shapes: dict[str, int]
    # Words of which the meaning is known from elsewhere: 0 for the others.
    meanings: WordRows


def shape_of(surface: str) -> str:
    """The surface with each run of one kind of character as one sign: `Sato2` → `Aa0`, `渡辺` → `漢`."""
    signs = surface[:_SHAPE_LIMIT].translate(_SIGNS)
    return signs if len(signs) < 2 else "".join(sign for sign, _ in groupby(signs))


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


class _Signs(dict[int, str]):
    """The sign of each character met, by code point; begun anew when it has become large."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _SIGNS_KEPT:
            self.clear()
        sign = self[code] = _sign(chr(code))
        return sign


_SIGNS = _Signs()


@lru_cache(4_096)
def affix(text: str) -> int:
    """Bucket of a prefix or suffix (FNV-1a), 1 to `AFFIXES`; row 0 stands for none."""
    state = 2166136261
    for byte in text.encode():
        state = ((state ^ byte) * 16777619) & 0xFFFFFFFF
    return 1 + state % AFFIXES


def columns_of(fact: Fact, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The row that a morpheme takes of each of the tables `COLUMNS`; 0 means none."""
    surface, letter = fact.surface, vocabulary.chars.get
    size, lower = len(surface), surface.lower()
    if size == 1:
        return _columns_of_one(fact, lower, vocabulary)
    long_word = size >= 4 and not "\u4e00" <= surface[0] <= "\u9fff"
    return (
        vocabulary.words.get(lower, _UNKNOWN),
        vocabulary.pos.get(fact.pos, 0),
        min(size, 6) + (size > 9) + 1,
        vocabulary.shapes.get(shape_of(surface), _UNKNOWN),
        letter(surface[0], _UNKNOWN) if size else 0,
        letter(surface[1], _UNKNOWN) if size else 0,
        letter(surface[2], _UNKNOWN) if size > 2 else 0,
        letter(surface[-1], _UNKNOWN) if size else 0,
        letter(surface[-2], _UNKNOWN) if size else 0,
        affix("p" + lower[:3]) if long_word else 0,
        affix("s" + lower[-3:]) if long_word else 0,
        vocabulary.meanings.find(*dict.fromkeys((fact.normal, surface, lower))),
    )


def _columns_of_one(fact: Fact, lower: str, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The same for one character, in a third of the time: texts of rare characters have as many as they have words."""
    surface = fact.surface
    letter = vocabulary.chars.get(surface, _UNKNOWN)
    return (
        vocabulary.words.get(lower, _UNKNOWN),
        vocabulary.pos.get(fact.pos, 0),
        2,
        vocabulary.shapes.get(_SIGNS[ord(surface)], _UNKNOWN),
        letter, 0, 0, letter, 0,
        0, 0,
        vocabulary.meanings.find(*dict.fromkeys((fact.normal, surface, lower))),
    )  # fmt: skip


class Network:
    """The trained tagger; immutable after loading, so it can be shared by forked processes."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]], meta: dict[str, Any], gate: Gate | None = None) -> None:
        known = {key: dict(meta[key]) for key in ("words", "chars", "pos", "shapes")}
        self.vocabulary = Vocabulary(**known, meanings=WordRows.read(arrays["vec_steps"], arrays["vec_rows"]))
        self.offsets: list[list[int]] = meta["offsets"]
        # Frequent morphemes (surface, number of the part of speech) to make vectors of before the first text.
        self.frequent: list[tuple[str, int]] = [(surface, pos) for surface, pos in meta.get("frequent", [])]
        tables: dict[str, Floats] = {
            key[4:]: _table(value, arrays.get(f"scale_{key[4:]}"))
            for key, value in arrays.items()
            if key.startswith("emb_")
        }
        for name in tables.keys() & _OPTIONAL:
            tables[name][0] = 0
        space, right, left = (arrays[key].astype(np.float32) for key in ("space", "pr", "pl"))
        beside = space[:, None, None] + right[None, :_PAIRS, None] + left[None, None, :_PAIRS]
        # What is added to a vector by what stands beside a morpheme, as `person_features.besides` numbers it.
        self.beside: Floats = (beside - beside[0, 0, 0]).reshape(-1, space.shape[1])
        self._table = np.concatenate([beside[0, 0, :1], *tables.values()])
        firsts = dict(zip(tables, accumulate(map(len, tables.values()), initial=1), strict=False))
        # Where each column's table begins; of flags the first row stands for none.
        self._firsts, self._flags = np.array([firsts[name] for name in COLUMNS], np.intp), firsts["flag"] + 1
        self.layers = Layers(
            [
                Layer(offsets, *(arrays[f"{key}{i}"].astype(np.float32) for key in "wbv" if f"{key}{i}" in arrays))
                for i, offsets in enumerate(self.offsets)
            ],
            arrays["w_out"].astype(np.float32),
            arrays["b_out"].astype(np.float32),
            gate,
        )
        self.width = self.layers.width

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

    def parts(self, facts: Iterable[Fact]) -> list[tuple[int, ...]]:
        """What the vectors of morphemes are the sums of: a row of each of the tables `COLUMNS`, then those of the flags.

        Morphemes with the same parts, such as rare characters, have the same vector.
        """
        known = self.vocabulary
        return [columns_of(fact, known) + fact.flags for fact in facts]

    def vectors(self, parts: Sequence[tuple[int, ...]]) -> Floats:
        """The vectors of morphemes with nothing beside them, shape (len(parts), width); `parts` as above."""
        vectors = np.empty((len(parts), self.width), np.float32)
        size = len(COLUMNS)
        for first in range(0, len(parts), _AT_ONCE):
            some = parts[first : first + _AT_ONCE]
            rows = np.array([part[:size] for part in some], np.intp) + self._firsts
            sums = vectors[first : first + _AT_ONCE]
            self._table.take(rows, axis=0).sum(axis=1, out=sums)
            # The first row of all is what nothing beside a morpheme adds.
            sums += self._table[0]
            flagged = [place for place, part in enumerate(some) for _ in part[size:]]
            if flagged:
                flags = [self._flags + flag for part in some for flag in part[size:]]
                np.add.at(sums, flagged, self._table.take(flags, axis=0))
        return vectors


def _table(stored: npt.NDArray[Any], scales: npt.NDArray[Any] | None) -> Floats:
    """A table as numbers: as it is, or bytes with a scale for each row."""
    table: Floats = stored.astype(np.float32)
    return table if scales is None else table * scales.astype(np.float32)[:, None]
