from __future__ import annotations

from typing import Any

import pytest
from kagamipb.policy.v1.policy_pb2 import CustomRecognizer

from controlplane.admin.vetting import vet, vet_pattern

GOOD: dict[str, Any] = {"entity": "EMPLOYEE_ID", "pattern": "EMP-[0-9]{6}"}


def test_a_good_recognizer_passes() -> None:
    assert vet(CustomRecognizer(**GOOD)) is None
    assert vet(CustomRecognizer(**GOOD, context=["社員番号"], checksum="luhn", score=0.5)) is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"entity": "employee"}, "entity"),
        ({"pattern": "(a+)+$"}, "pattern"),
        ({"pattern": "[0-9]{6"}, "pattern"),
        ({"pattern": ""}, "pattern"),
        ({"pattern": "a" * 1000}, "pattern"),
        ({"context": [""]}, "context"),
        ({"checksum": "luhn2"}, "checksum"),
        ({"score": 1.5}, "score"),
        ({"score": float("nan")}, "score"),
    ],
)
def test_what_is_wrong_is_named_by_field(wrong: dict[str, Any], field: str) -> None:
    problem = vet(CustomRecognizer(**GOOD | wrong))
    assert problem is not None
    assert (problem[0], bool(problem[1])) == (field, True)


def test_a_pattern_of_a_list_is_judged_by_cost_and_width() -> None:
    assert vet_pattern("PRJ-[0-9]{4}", 24) is None
    assert vet_pattern("[0-9]+", 24) == "character 6: unbounded '+'; write a bound, such as {0,40}"
    assert vet_pattern("[0-9]{25}", 24) == "may match 25 characters, more than the 24 a stream holds back for it"
