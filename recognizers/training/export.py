"""Writes a trained tagger as the model file that `Network.load` reads: half-precision arrays and a JSON vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recognizers.person_network import Vocabulary


def save(
    path: Path,
    params: dict[str, Any],
    vocabulary: Vocabulary,
    offsets: list[list[int]],
    frequent: list[tuple[str, int]],
) -> None:
    """Writes the file; `params` as `jax_network.initial` shapes them, `frequent` morphemes to know from the start."""
    arrays: dict[str, Any] = {f"emb_{name}": _half(table) for name, table in params["emb"].items()}
    arrays |= {"emb_flag": _half(params["flag"])}
    arrays |= {name: _half(params[name]) for name in ("space", "pr", "pl")}
    for number, layer in enumerate(params["layers"]):
        arrays |= {f"w{number}": _half(layer["w"]), f"b{number}": _half(layer["b"])}
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


def _half(array: Any) -> npt.NDArray[np.float16]:
    return np.asarray(array, np.float16)
