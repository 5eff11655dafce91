from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from kagamipb.policy.v1.policy_pb2 import CustomRecognizer, RedactionPolicy
from support.redacting import HASH_KEY, request, through

from dataplane.drivers.analyzer import Analyzer, AnalyzerError, PipelineFinder, load_scan
from dataplane.redaction.policy import Policy, PolicyError, ScanConfig
from dataplane.redaction.replace import Redaction


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return load_scan()


def test_spans_are_sorted_and_never_overlap(analyzer: Analyzer) -> None:
    spans = analyzer("山田太郎様 090-1234-5678 taro@example.jp")
    assert [span.entity for span in spans] == ["PERSON", "PHONE_NUMBER", "EMAIL_ADDRESS"]
    assert all(one.end <= two.start for one, two in itertools.pairwise(spans))


def test_an_exchange_with_the_real_detector(analyzer: Analyzer) -> None:
    exchange = Redaction(Policy.compile(RedactionPolicy(enabled=True), HASH_KEY, bind=analyzer.bind), analyzer.scan)
    (sent,) = request(exchange, "山田太郎様の電話は 090-1234-5678 です。")
    assert "山田" not in sent
    assert "5678" not in sent
    answer = f"{sent}佐藤花子様にもご連絡ください。"
    received = through(exchange.lane(0), list(answer))
    assert received.startswith("山田太郎様の電話は 090-1234-5678 です。")
    assert "佐藤" not in received


def test_a_threshold_of_a_policy_binds(analyzer: Analyzer) -> None:
    text = "連絡先は 090-1234-5678 です"
    assert analyzer.bind(ScanConfig({}, ()))(text)
    assert not analyzer.bind(ScanConfig({"PHONE_NUMBER": 1.0}, ()))(text)


def test_only_the_entities_asked_for_are_found() -> None:
    spans = load_scan(entities=["EMAIL_ADDRESS"])("山田太郎様 taro@example.jp")
    assert [span.entity for span in spans] == ["EMAIL_ADDRESS"]


def test_a_rehearsal_runs_through_our_own_finders_and_no_pipeline() -> None:
    class Engine:
        def analyze(self, _text: str, **_asked: object) -> list[object]:
            raise AssertionError("a pipeline is slow")

    emails = load_scan(entities=["EMAIL_ADDRESS"])._finders
    analyzer = Analyzer((*emails, PipelineFinder(Engine(), "en")))  # type: ignore[arg-type]
    assert len(list(analyzer.rehearse("taro@example.jp"))) == len(emails)
    with pytest.raises(AssertionError, match="slow"):
        analyzer("taro@example.jp")


def test_an_unknown_entity_is_named() -> None:
    with pytest.raises(AnalyzerError, match="SHOE_SIZE"):
        load_scan(entities=["SHOE_SIZE"])


@pytest.mark.parametrize("pipeline", ["xx_no_such_pipeline", "/nowhere/at/all", "not a name"])
def test_a_pipeline_that_is_not_there_is_refused_and_never_downloaded(pipeline: str) -> None:
    with pytest.raises(AnalyzerError, match="not installed"):
        load_scan(entities=["EMAIL_ADDRESS"], pipelines={"en": pipeline})


def test_a_folder_that_holds_no_pipeline_is_refused(tmp_path: Path) -> None:
    code = """
import sys
from dataplane.drivers.analyzer import AnalyzerError, load_scan
try:
    load_scan(entities=["EMAIL_ADDRESS"], pipelines={"en": sys.argv[1]})
except AnalyzerError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert f"pipeline '{tmp_path}' for 'en' cannot be loaded" in done.stdout


def test_the_default_imports_neither_presidio_nor_spacy() -> None:
    code = "import sys; from dataplane.drivers.analyzer import load_scan; load_scan(); print([m for m in ('presidio_analyzer', 'spacy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_pipeline_adds_what_it_finds(tmp_path: Path) -> None:
    code = """
import sys, spacy
nlp = spacy.blank("en")
nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Zxqv Brillig"}])
nlp.to_disk(sys.argv[1])
from dataplane.drivers.analyzer import load_scan
spans = load_scan(entities=["EMAIL_ADDRESS"], pipelines={"en": sys.argv[1]})("Mail Zxqv Brillig at z@example.org")
print([(s.entity, s.recognizer) for s in spans])
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[('PERSON', 'presidio.en'), ('EMAIL_ADDRESS', 'email_address')]"


def test_a_recognizer_of_a_policy_binds(analyzer: Analyzer) -> None:
    proto = RedactionPolicy(
        enabled=True,
        recognizers=[CustomRecognizer(entity="STAFF_ID", pattern="EMP-[0-9]{6}", context=["社員"])],
    )
    exchange = Redaction(Policy.compile(proto, HASH_KEY, bind=analyzer.bind), analyzer.scan)
    assert request(exchange, "社員 EMP-123456 です") == ["社員 <STAFF_ID_1> です"]
    assert through(exchange.lane(0), list("社員 EMP-654321 です。")) == "社員 <STAFF_ID_2> です。"


def test_a_recognizer_of_unbounded_cost_is_refused_by_field(analyzer: Analyzer) -> None:
    proto = RedactionPolicy(recognizers=[CustomRecognizer(entity="STAFF_ID", pattern="(a+)+")])
    with pytest.raises(PolicyError, match=r"^recognizers\[0\]\.pattern"):
        Policy.compile(proto, HASH_KEY, bind=analyzer.bind)
