from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataplane.redaction.terms import Terms, bare


def found(terms: list[str], text: str) -> list[str]:
    return [text[span.start : span.end] for span in Terms(terms).find(text)]


def test_the_longest_term_wins() -> None:
    assert found(["鏡", "鏡計画", "計画"], "鏡計画と鏡と計画") == ["鏡計画", "鏡", "計画"]


def test_width_case_and_characters_without_width_do_not_hide_a_term() -> None:
    assert found(["Kagami"], "ＫＡＧＡＭＩ ka\u200bga\u200d\ufeffmi") == ["ＫＡＧＡＭＩ", "ka\u200bga\u200d\ufeffmi"]


def test_a_term_that_begins_another_is_found_alone() -> None:
    assert found(["ab", "abcd"], "ab abc abcd") == ["ab", "ab", "abcd"]


def test_special_characters_are_plain_text() -> None:
    assert found(["a.c", "(x)*"], "abc a.c (x)*") == ["a.c", "(x)*"]


def test_no_terms_find_nothing() -> None:
    assert Terms([]).find("anything") == []


@given(st.lists(st.text("abあ", min_size=1, max_size=5), min_size=1, max_size=8), st.text("abあ", max_size=30))
def test_every_term_is_found_where_it_stands_alone(terms: list[str], text: str) -> None:
    for term in terms:
        assert any(term in hit for hit in found(terms, f"{text} {term} {text}"))


def test_any_number_of_characters_without_width_hides_nothing() -> None:
    assert found(["機密"], "機" + "\u200b" * 40 + "密\u200b。") == ["機" + "\u200b" * 40 + "密"]


@given(
    st.lists(st.text("abＡあ𠮷", min_size=1, max_size=4), min_size=1, max_size=8),
    st.text("abＡBあ𠮷\u200b", max_size=30),
)
def test_what_is_found_is_the_leftmost_and_longest_and_its_beginning_was_seen(terms: list[str], text: str) -> None:
    words = {bare(term) for term in terms}
    shown = bare(text)
    expected, at = [], 0
    while at < len(shown):
        size = max((len(word) for word in words if shown.startswith(word, at)), default=0)
        expected += [shown[at : at + size]] if size else []
        at += size or 1
    assert [bare(hit) for hit in found(terms, text)] == expected
    opened = [at for at in range(len(shown)) if any(w.startswith(shown[at:]) and w != shown[at:] for w in words)]
    start = Terms(terms).opened(text)
    assert (None if start is None else len(bare(text[:start]))) == next(iter(opened), None)
