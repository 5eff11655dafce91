"""Word vectors out of a wheel, on a small one."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import srsly
from spacy.strings import hash_string

from recognizers.training.vectors import read_vectors


def wheel(path: Path) -> Path:
    """Two words with vectors of their own, one that has that of its neighbour, one without a text."""
    folder = "ja_ginza/ja_ginza-5.3.0/vocab/"
    vectors = io.BytesIO()
    np.save(vectors, np.array([[3.0, 4.0], [0.0, 2.0]], np.float32))
    rows = {hash_string("東京"): 0, hash_string("会議"): 1, hash_string("大阪"): 0, 12345: 1}
    with zipfile.ZipFile(path / "small.whl", "w") as archive:
        archive.writestr(folder + "key2row", srsly.msgpack_dumps(rows))
        archive.writestr(folder + "strings.json", json.dumps(["東京", "会議", "大阪", "没"]))
        archive.writestr(folder + "vectors", vectors.getvalue())
    return path / "small.whl"


def test_vectors_have_length_one_and_row_0_is_none(tmp_path: Path) -> None:
    _, table = read_vectors(wheel(tmp_path))
    assert np.allclose(table, [[0, 0], [0.6, 0.8], [0, 1]])


def test_words_have_their_row_and_others_have_none(tmp_path: Path) -> None:
    words, _ = read_vectors(wheel(tmp_path))
    assert [words.find(word) for word in ("東京", "会議", "大阪", "没")] == [1, 2, 1, 0]
