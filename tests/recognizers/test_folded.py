"""Folding: one form for every writing, and exact ways back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizers.folded import FoldedText

NASTY = st.text(alphabet=st.sampled_from("aｶﾞﾊﾟか\u3099ー−０\u200b\u202e\ufe0f\x00\ud800𠮷髙　\n1é\u0301"), max_size=60)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("０９０－１２３４", "090-1234"),
        ("090‐12–34—5−6", "090-12-34-5-6"),
        ("ｶﾞｷﾞ ﾊﾟﾋﾟ ﾔﾏﾀﾞ", "ガギ パピ ヤマダ"),
        ("か\u3099は\u309a", "がぱ"),
        ("1\u200b2\u202e3\ufe0f4\u00ad5", "12345"),
        ("髙﨑𠮷", "高崎吉"),
        ("⽥中　様", "田中 様"),
        ("𝟏𝟐٣", "123"),
        ("e\u0301", "e"),
        ("a\x00b\tc\nd", "ab\tc\nd"),
        ("コーヒー", "コーヒー"),
        ("①Ⅱ", "①Ⅱ"),
    ],
)
def test_every_writing_folds_to_the_common_form(written: str, folded: str) -> None:
    assert FoldedText(written).folded == folded


def test_offsets_lead_back_over_joined_and_dropped_characters() -> None:
    text = FoldedText("x\u200bｶﾞ1\u200b2y")
    assert text.folded == "xガ12y"
    assert text.span(1, 2) == (2, 4)
    assert text.span(2, 4) == (4, 7)


@settings(max_examples=500)
@given(NASTY)
def test_offsets_rise_stay_inside_and_cover_the_text(written: str) -> None:
    text = FoldedText(written)
    places = [text.span(place, place)[0] for place in range(len(text.folded) + 1)]
    assert places == sorted(places)
    assert all(0 <= place <= len(written) for place in places)
    assert places[-1] == len(written)


@settings(max_examples=300)
@given(NASTY)
def test_folding_twice_changes_nothing(written: str) -> None:
    once = FoldedText(written).folded
    assert FoldedText(once).folded == once


@given(NASTY)
def test_lower_case_and_modern_forms_keep_the_length(written: str) -> None:
    text = FoldedText(written + "İ廣")
    assert len(text.lowered) == len(text.modern) == len(text.folded)


def test_a_view_is_computed_once() -> None:
    calls: list[str] = []

    def build(text: FoldedText) -> int:
        calls.append(text.folded)
        return len(text.folded)

    text = FoldedText("abc")
    assert (text.view(build), text.view(build), calls) == (3, 3, ["abc"])
