"""A floor under detection on text that nobody tuned to. Counts alone: what is missed there must not be read."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from bench.eval_pii import cases, evaluate
from bench.pii_scoring import Report
from dataplane.drivers.analyzer import load_scan

FOLDER = Path(__file__).parents[2] / "bench" / "independent"


class Floor(NamedTuple):
    """A set: its folder, how much is in it, and what must at least be found and be right, in per cent."""

    folder: Path
    spans: int
    documents: int
    recall: float
    precision: float


# Found 93.7 % and 96.9 %, right 88.3 % and 87.9 % when written.
FLOORS = (Floor(FOLDER, 1483, 440, 93, 87), Floor(FOLDER / "ordinary", 4258, 1900, 96, 87))


@pytest.fixture(scope="module", params=FLOORS, ids=lambda floor: floor.folder.name)
def measured(request: pytest.FixtureRequest) -> tuple[Floor, Report]:
    chosen = cases(request.param.folder)
    labelled = sorted({entity for case in chosen for _, _, entity in case.spans})
    return request.param, evaluate(chosen, load_scan(entities=labelled))[0]


def test_the_set_is_whole(measured: tuple[Floor, Report]) -> None:
    floor, report = measured
    assert (report.whole.gold, report.with_spans + report.clean) == (floor.spans, floor.documents)


def test_personal_data_is_found_and_what_is_found_is_right(measured: tuple[Floor, Report]) -> None:
    floor, report = measured
    recall, precision = report.whole.recall, report.whole.precision
    assert recall is not None
    assert precision is not None
    assert (recall >= floor.recall, precision >= floor.precision) == (True, True), (recall, precision)
