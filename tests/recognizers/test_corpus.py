"""The regression guard: our own labelled documents, scored as the README's table is."""

from __future__ import annotations

import pytest
from support.corpus import documents

from bench.pii_scoring import Case, Report
from recognizers.detector import Detector

# Exact identifiers: one miss is a bug. PERSON has a guard of its own level, for names are never all known.
PERFECT = (
    "MY_NUMBER", "CREDIT_CARD", "DRIVERS_LICENSE", "RESIDENCE_CARD", "PASSPORT", "PENSION_NUMBER", "BANK_ACCOUNT",
    "HEALTH_INSURANCE", "POSTAL_CODE", "EMAIL_ADDRESS", "PHONE_NUMBER", "DATE_OF_BIRTH", "ADDRESS",
)  # fmt: skip


@pytest.fixture(scope="module")
def report() -> Report:
    labelled = sorted({mark.entity for document in documents() for mark in document.marks if mark.entity})
    detector = Detector.load(entities=labelled)
    report = Report()
    for document in documents():
        spans = tuple((mark.start, mark.end, mark.entity) for mark in document.marks if mark.entity)
        ignore = tuple((mark.start, mark.end, "") for mark in document.marks if not mark.entity)
        findings = [(found.start, found.end, found.entity) for found in detector.scan(document.text)]
        report.add(Case(document.id, document.domain, document.text, spans, ignore), findings)
    return report


def test_the_corpus_is_large_enough_to_guard_anything() -> None:
    assert len(documents()) >= 150
    assert sum(not document.marks for document in documents()) >= 40


@pytest.mark.parametrize("entity", PERFECT)
def test_every_identifier_of_the_corpus_is_found(report: Report, entity: str) -> None:
    score = report.by_type[entity]
    assert score.gold >= 5
    assert score.found == score.gold, [line for line in report.misses if entity in line]


def test_names_are_found(report: Report) -> None:
    recall = report.by_type["PERSON"].recall
    assert recall is not None
    assert recall >= 93, report.misses


def test_findings_are_right(report: Report) -> None:
    assert report.whole.precision is not None
    assert report.whole.precision >= 96, report.alarms


def test_documents_without_personal_data_stay_quiet(report: Report) -> None:
    assert report.alarmed <= 0.06 * report.clean, report.alarms
