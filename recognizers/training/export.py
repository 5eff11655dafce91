"""Writes a trained tagger as the model file that `Network.load` reads: half-precision arrays and a JSON vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recognizers.person_network import Vocabulary

# The large tables: one byte a number, with a scale for each row.
AS_BYTES = frozenset({"word", "vec"})


def save(
    path: Path,
    params: dict[str, Any],
    folded: npt.NDArray[np.float32],
    vocabulary: Vocabulary,
    offsets: list[list[int]],
    frequent: list[tuple[str, int]],
) -> None:
    """Writes the file; `params` as `jax_network.initial` shapes them, `folded` what the word vectors come to in the
    network's width, `frequent` morphemes to know from the start.
    """
    arrays: dict[str, Any] = {}
    for name, table in {**params["emb"], "vec": folded}.items():
        arrays |= _bytes(name, table) if name in AS_BYTES else {f"emb_{name}": _half(table)}
    arrays["vec_steps"], arrays["vec_rows"] = vocabulary.meanings.arrays()
    arrays |= {"emb_flag": _half(params["flag"])}
    arrays |= {name: _half(params[name]) for name in ("space", "pr", "pl")}
    for number, layer in enumerate(params["layers"]):
        arrays |= {f"{key}{number}": _half(array) for key, array in layer.items()}
    arrays |= {"w_out": _half(params["out"]["w"]), "b_out": _half(params["out"]["b"])}
    meta = {
        "words": list(vocabulary.words.items()),
        "chars": list(vocabulary.chars.items()),
        "pos": list(vocabulary.pos.items()),
        "shapes": list(vocabulary.shapes.items()),
        "offsets": offsets,
        "frequent": frequent,
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), np.uint8)
    np.savez_compressed(path, **arrays)


def _bytes(name: str, table: Any) -> dict[str, npt.NDArray[Any]]:
    """A table as whole numbers from -127 to 127 and a scale for each row."""
    scales = np.maximum(np.abs(table).max(axis=1), 1e-6) / 127
    return {f"emb_{name}": np.rint(table / scales[:, None]).astype(np.int8), f"scale_{name}": scales.astype(np.float32)}


def _half(array: Any) -> npt.NDArray[np.float16]:
    return np.asarray(array, np.float16)
