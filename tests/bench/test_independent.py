"""A floor under detection on text that nobody tuned to. Counts alone: what is missed there must not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.eval_pii import cases, evaluate
from bench.pii_scoring import Report
from dataplane.drivers.analyzer import load_scan

# Found 91.0 %, right 89.1 % when written.
FLOOR = (90, 88)
SET = Path(__file__).parents[2] / "bench" / "independent"


@pytest.fixture(scope="module")
def report() -> Report:
    chosen = cases(SET)
    labelled = sorted({entity for case in chosen for _, _, entity in case.spans})
    return evaluate(chosen, load_scan(entities=labelled))[0]


def test_the_set_is_whole(report: Report) -> None:
    assert (report.whole.gold, report.with_spans + report.clean) == (1483, 440)


def test_personal_data_is_found_and_what_is_found_is_right(report: Report) -> None:
    recall, precision = report.whole.recall, report.whole.precision
    assert recall is not None
    assert precision is not None
    assert (recall >= FLOOR[0], precision >= FLOOR[1]) == (True, True), (recall, precision)
