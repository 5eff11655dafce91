"""Custom recognizers: data in, findings out."""

from __future__ import annotations

import re

import pytest

from recognizers.custom import CustomFinder, CustomRecognizerError, problem_of
from recognizers.detector import Detector
from recognizers.folded import FoldedText


def spans(finder: CustomFinder, text: str) -> list[str]:
    return [text[found.start : found.end] for found in finder.find(FoldedText(text))]


def test_a_pattern_is_found_in_full_width_and_with_zero_width_characters() -> None:
    finder = CustomFinder(entity="EMPLOYEE_ID", pattern=r"EMP-[0-9]{4}")
    assert spans(finder, "担当はＥＭＰ－００４１とEMP-\u200b0042です") == ["ＥＭＰ－００４１", "EMP-\u200b0042"]


def test_a_match_never_starts_or_ends_inside_a_word() -> None:
    finder = CustomFinder(entity="CODE", pattern="[0-9]{4}")
    assert spans(finder, "12345 x1234 1234y 部署1234番") == ["1234"]


def test_context_words_before_or_after_are_required_where_given() -> None:
    finder = CustomFinder(entity="TICKET", pattern="[0-9]{6}", context=["整理券", "Ticket"])
    assert spans(finder, "整理券は123456") == ["123456"]
    assert spans(finder, "123456 (ticket)") == ["123456"]
    assert spans(finder, "残高は123456") == []


def test_a_checksum_must_pass() -> None:
    finder = CustomFinder(entity="LOYALTY", pattern="[0-9]{4} ?[0-9]{4}", checksum="luhn", score=0.9)
    assert spans(finder, "1234 5674 1234 5678") == ["1234 5674"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"entity": "lower", "pattern": "a"}, "entity: write 2 to 48 capital letters"),
        ({"entity": "X1", "pattern": "a+"}, "unbounded '+'"),
        ({"entity": "X1", "pattern": "a", "checksum": "crc"}, "checksum: unknown name 'crc'; known are"),
        ({"entity": "X1", "pattern": "a", "score": 1.5}, "score: must lie between 0 and 1"),
        ({"entity": "X1", "pattern": "a", "context": [""]}, "context: each word has 1 to 40 characters"),
        ({"entity": "X1", "pattern": "a", "context": ["w"] * 51}, "context: at most 50 words"),
    ],
)
def test_a_bad_field_is_named(fields: dict[str, object], says: str) -> None:
    with pytest.raises(CustomRecognizerError, match=re.escape(says)):
        CustomFinder(**fields)  # type: ignore[arg-type]
    assert says in str(problem_of(**fields))  # type: ignore[arg-type]


def test_a_good_recognizer_has_no_problem_and_joins_a_detector() -> None:
    assert problem_of(entity="EMPLOYEE_ID", pattern="EMP-[0-9]{4}") is None
    finder = CustomFinder(entity="EMPLOYEE_ID", pattern="EMP-[0-9]{4}")
    detector = Detector.load(entities=["EMAIL_ADDRESS"], extra=[finder])
    assert [found.entity for found in detector.scan("EMP-0041 a@example.com")] == ["EMPLOYEE_ID", "EMAIL_ADDRESS"]
    assert detector.entities == {"EMPLOYEE_ID", "EMAIL_ADDRESS"}
