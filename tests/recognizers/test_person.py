"""PERSON on whole texts: what is a name, what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizers.folded import FoldedText
from recognizers.person import PersonFinder

FINDER = PersonFinder.load()


def names(text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in FINDER.find(FoldedText(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("担当の佐藤美咲です。", ["佐藤美咲"]),
        ("佐々木 健太様", ["佐々木 健太"]),
        ("昨日、古賀さんに会いました。", ["古賀"]),
        ("山本部長に確認する", ["山本"]),
    ],
)
def test_names_with_their_context_are_found(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize("text", ["北条電機の見積書", "お客様にご連絡します", "高橋電機株式会社", "皆さん、こんにちは"])
def test_companies_and_bare_roles_are_not_people(text: str) -> None:
    assert names(text) == []


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    for finding in FINDER.find(FoldedText(text)):
        assert 0 <= finding.start < finding.end <= len(text)


def test_a_lone_surrogate_does_not_hide_the_names_around_it() -> None:
    assert names("\ud800佐藤美咲さん\udfff") == ["佐藤美咲"]


@pytest.mark.parametrize("text", ["さあ、佐藤……", "よん、に…", "…田中さん…"])
def test_no_finding_is_empty(text: str) -> None:
    assert all(finding.end > finding.start for finding in FINDER.find(FoldedText(text)))
