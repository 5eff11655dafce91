"""The gate: made for the shipped model, and what passes it is all that could be a name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import sudachipy

from recognizers.folded import FoldedText
from recognizers.names import NameLists
from recognizers.person import LEAST, THRESHOLDS
from recognizers.person_fields import UNKNOWN
from recognizers.person_gate import Gate
from recognizers.person_network import MODEL, Network
from recognizers.person_tagger import Tagger

CORPUS = Path(__file__).with_name("corpus")


def tagger(*, gated: bool) -> Tagger:
    network = Network.load()
    if not gated:
        network.layers.gate = None
    return Tagger(sudachipy.Dictionary(), NameLists.load(), network)


OPEN, GATED = tagger(gated=False), tagger(gated=True)


def texts() -> list[str]:
    files = sorted(CORPUS.glob("*.txt"))
    return [FoldedText(part).folded[:3000] for file in files for part in file.read_text().split("\n\n") if part]


def test_the_gate_belongs_to_the_shipped_model() -> None:
    # After a training: python -m recognizers.training.gate
    assert Gate.load(hashlib.sha256(MODEL.read_bytes()).hexdigest()) is not None


def test_with_the_gate_every_name_has_the_probability_it_has_without() -> None:
    possible = lost = names = 0
    for text in texts():
        alone, judged = OPEN.tag(text)[1].scores, GATED.tag(text)[1]
        gated = np.zeros_like(alone)
        gated[judged.places] = judged.scores
        same = np.isclose(alone, gated, atol=1e-4).all(axis=1)
        named = 1 - alone[:, 0]
        assert same[named >= THRESHOLDS[UNKNOWN]].all()
        names += int((named >= THRESHOLDS[UNKNOWN]).sum())
        possible += int((named >= LEAST).sum())
        lost += int((~same[named >= LEAST]).sum())
    assert names > 50
    assert lost <= possible / 50


def test_most_morphemes_of_plain_prose_do_not_pass() -> None:
    rows, judged = GATED.tag("来週の会議で使う資料を、初めて読む人にも分かるようにまとめ直してください。" * 20)
    assert len(judged.places) < len(rows.tokens) / 10


def test_a_gate_of_another_model_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    gate = Gate(1, np.array([0.5, -1.0], np.float32), 0.25)
    gate.save("a" * 64, path)
    assert Gate.load("b" * 64, path) is None
    kept = Gate.load("a" * 64, path)
    assert kept is not None
    assert (kept.after, kept.weights.tolist(), kept.bias) == (1, [0.5, -1.0], 0.25)


def test_a_file_that_is_no_gate_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    path.write_text(json.dumps({"after": 2}))
    with pytest.raises(KeyError):
        Gate.load("a" * 64, path)


def test_only_rows_above_zero_pass() -> None:
    gate = Gate(1, np.array([1.0], np.float32), -0.5)
    assert gate.passing(np.array([[0.4], [0.6], [0.5]], np.float32)).tolist() == [1]


def test_a_text_in_which_nothing_passes_has_no_name_anywhere() -> None:
    assert GATED.tag("、。、。")[1].places.tolist() == []
