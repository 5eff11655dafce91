"""Patterns from tenants: what is refused, and that what is accepted cannot be slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizers.bounded import MAX_WIDTH, PatternError, compile_bounded


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"EMP-[0-9]{6}", "EMP-004411"),
        (r"(?:KX|KY)\d{4}(?:-[A-Z])?", "KY2210-B"),
        (r"社員番号[:：]? ?[0-9]{4,8}", "社員番号:004411"),
        (r"[^0-9 ]{2}\.\w{3}", "ab.cde"),
        (r"[\]\-x]{3}", "]-x"),
    ],
)
def test_a_bounded_pattern_matches_what_it_says(pattern: str, text: str) -> None:
    assert compile_bounded(pattern).fullmatch(text) is not None


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a*", "unbounded '*'; write a bound"),
        ("[0-9]+", "unbounded '+'"),
        ("a{3,}", "{n} or {m,n}"),
        ("^a", "anchor '^' is not supported"),
        ("(?=a)b", "look-arounds"),
        (r"(a)\1", "escape '\\1' is not supported"),
        (r"\bword", "escape '\\b' is not supported"),
        ("(a", "missing ')'"),
        ("a)", "unmatched ')'"),
        ("[a", "character class without ']'"),
        ("a{300}", "more than 200 characters"),
        ("(?:(?:a{9}){9}){9}", "more than 200 characters"),
        ("(?:" + "|".join("abcdefghijklmnopqrstuvwxyz") + "){50}", "too many alternatives"),
        ("a{0,5}", "matches the empty text"),
        ("a{5,2}", "wrong order"),
        ("[z-a]", "bad character range"),
        ("[a--b]", "'--'"),
        ("(" * 20 + "a" + ")" * 20, "nested deeper"),
        ("", "1 to 300 characters"),
        ("a" * 301, "1 to 300 characters"),
    ],
)
def test_an_unsafe_pattern_is_refused_with_what_to_write_instead(pattern: str, says: str) -> None:
    with pytest.raises(PatternError, match=re.escape(says)):
        compile_bounded(pattern)


@settings(max_examples=400)
@given(st.text(alphabet=r"ab[](){}|?*+\d,0123^-.:$", max_size=30))
def test_any_text_is_compiled_or_refused_and_matches_no_more_than_the_cap(pattern: str) -> None:
    try:
        compiled = compile_bounded(pattern)
    except PatternError:
        return
    match = compiled.search("ab0123" * 200)
    assert match is None or 0 < match.end() - match.start() <= MAX_WIDTH


def test_what_backtracks_elsewhere_does_not_here() -> None:
    pattern = compile_bounded(r"(?:a?){20}a{20}x|(?:[0-9]{1,9}-?){9}!")
    assert pattern.search("a" * 2_000 + "1-" * 2_000) is None
