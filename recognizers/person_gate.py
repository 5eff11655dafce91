"""Which morphemes the tagger's last layers are worth: most surely belong to no name, and half-way through it shows.

Strategy: after the layers that every morpheme goes through, one linear function of the state tells what can still become
a name; the later layers are computed for that alone, and for what it looks back at. Fitted to one model file by
`recognizers/training/gate.py` so that on its texts 2 in 10,000 morphemes that could count are shut out at most; a gate
made for another file is not used, which costs time and nothing else.
Guarantees: pure; whether a morpheme passes depends on what the layers before it saw, not on the rest of the text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

GATE = Path(__file__).with_name("models") / "person_gate.json"
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Gate:
    """`weights` over the state after layer `after` (counted from 1), and what is added; above 0 passes."""

    after: int
    weights: Floats
    bias: float

    @classmethod
    def load(cls, model_sha256: str, path: Path = GATE) -> Gate | None:
        """The gate of the model file with this digest; None when it was made for another.

        Raises OSError if the file is missing, ValueError or KeyError if it is no gate.
        """
        given = json.loads(path.read_text(encoding="utf-8"))
        if given["model_sha256"] != model_sha256:
            return None
        return cls(int(given["after"]), np.asarray(given["weights"], np.float32), float(given["bias"]))

    def save(self, model_sha256: str, path: Path = GATE) -> None:
        """Writes the file that `load` reads."""
        given = {
            "model_sha256": model_sha256,
            "after": self.after,
            "bias": round(self.bias, 5),
            "weights": [round(float(weight), 5) for weight in self.weights],
        }
        path.write_text(json.dumps(given, indent=0) + "\n", encoding="utf-8")

    def passing(self, state: Floats) -> Places:
        """The rows of `state` (morphemes, width) that need the layers to come, ascending."""
        return (state @ self.weights > -self.bias).nonzero()[0]
