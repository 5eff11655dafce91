"""Presidio and the thin path answer the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.corpus import documents

from recognizers import japanese_recognizers
from recognizers.detector import Detector
from recognizers.presidio import FinderRecognizer, analyze_with_presidio, analyzer_engine
from recognizers.registry import FACTORIES

ENTITIES = sorted(set(FACTORIES) - {"PERSON"})


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(entities=ENTITIES)


def test_the_thin_path_and_presidio_find_the_same_in_every_document(detector: Detector) -> None:
    engine = analyzer_engine(ENTITIES)
    for document in documents():
        assert analyze_with_presidio(engine, document.text) == detector.scan(document.text), document.id


def test_recognizers_join_any_presidio_registry() -> None:
    recognizers = japanese_recognizers(["PHONE_NUMBER", "ADDRESS"], language="ja")
    assert {recognizer.supported_language for recognizer in recognizers} == {"ja"}
    assert {entity for recognizer in recognizers for entity in recognizer.supported_entities} == {
        "PHONE_NUMBER",
        "ADDRESS",
    }
    (phone,) = (one for one in recognizers if isinstance(one, FinderRecognizer) and one.name == "phone_number")
    (result,) = phone.analyze("電話は090-0123-4567", ["PHONE_NUMBER"])
    assert (result.start, result.end, result.entity_type) == (3, 16, "PHONE_NUMBER")
    assert phone.analyze("電話は090-0123-4567", ["MY_NUMBER"]) == []


def test_the_thin_path_does_not_import_presidio() -> None:
    code = "import sys; from recognizers.detector import Detector; Detector.load(entities=['ADDRESS', 'MY_NUMBER']); sys.exit('presidio_analyzer' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_examples_of_the_readme_run() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    examples = [code for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "presidio" in code]
    results = [
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True).stdout
        for code in examples
    ]
    assert results == ["担当の<PERSON>(<PHONE_NUMBER>)です\n", "['PERSON', 'PHONE_NUMBER']\n"]
