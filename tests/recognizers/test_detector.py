"""The detector as a whole: what it promises to every caller."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizers.detector import Detector
from recognizers.registry import FACTORIES

DETECTOR = Detector.load(entities=[entity for entity in FACTORIES if entity != "PERSON"])
PIECES = st.sampled_from(
    ["電話は", "090-0123-4567", "０９０", "\u200b", "住所:", "東京都千代田区神田錦町3-22", "\n", " ", "a@example.com", "\ud800", "\x00",
     "個人番号", "1234 5678 9018", "ｶﾞｷﾞ", "か\u3099", "4111 1111 1111 1111", "口座 普通 1234567", ",", "|", "S55.5.5生", "氏名,電話", "ゼロキュウゼロ",
     "<think>", "<th>氏名</th>", "<tr>", "</tr>", "</table>", "insert into t (name, tel) values ('", "', '", "')", '["氏名","電話"]', '[["', '"]]',
     '{"name":"', '"}', "- ", "氏名: ", "date(1990, 2, 28)", "\\u3042", "%E3%81%82", "<<", "=", "\t"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=12).map("".join))


def test_it_finds_a_phone_number_in_code_points_of_the_original() -> None:
    (found,) = DETECTOR.scan("😀電話は０９０−０１２３−４５６７です")
    assert (found.start, found.end, found.entity) == (4, 17, "PHONE_NUMBER")


@settings(max_examples=300)
@given(TEXTS)
def test_findings_are_sorted_inside_the_text_and_never_overlap(text: str) -> None:
    found = DETECTOR.scan(text)
    edges = [place for finding in found for place in (finding.start, finding.end)]
    assert edges == sorted(edges)
    assert all(0 <= finding.start < finding.end <= len(text) for finding in found)
    assert DETECTOR.scan(text) == found


@settings(max_examples=100)
@given(TEXTS, TEXTS, TEXTS)
def test_context_gives_the_findings_of_the_whole_cut_to_the_middle(left: str, text: str, right: str) -> None:
    whole = {place for found in DETECTOR.scan(left + text + right) for place in range(found.start, found.end)}
    middle = {
        place for found in DETECTOR.scan_with_context(left, text, right) for place in range(found.start, found.end)
    }
    assert middle == {place - len(left) for place in whole if len(left) <= place < len(left) + len(text)}


def test_an_unknown_entity_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown entity 'SHOE_SIZE'"):
        Detector.load(entities=["SHOE_SIZE"])


def test_a_threshold_silences_one_entity() -> None:
    strict = Detector.load(entities=["PHONE_NUMBER", "EMAIL_ADDRESS"], thresholds={"PHONE_NUMBER": 1.1})
    assert [found.entity for found in strict.scan("090-0123-4567 taro@example.com")] == ["EMAIL_ADDRESS"]
