"""Lists of patterns: what they match, what they refuse, and that no stream lets go of the beginning of a match."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kagamipb.policy.v1 import policy_pb2 as pb

from dataplane.redaction.patterns import PatternError, Patterns, widest
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction
from dataplane.redaction.spans import Span
from dataplane.redaction.terms import Terms


def found(patterns: list[str], text: str) -> list[str]:
    return [text[span.start : span.end] for span in Patterns(patterns).find(text)]


def test_a_match_is_found_whatever_its_width_its_case_and_what_is_hidden_in_it() -> None:
    assert found(["PRJ-[0-9]{4}"], "prj-0001 ＰＲＪ－０００２ P\u200bRJ-0003") == [
        "prj-0001",
        "ＰＲＪ－０００２",
        "P\u200bRJ-0003",
    ]


def test_matches_that_overlap_are_one() -> None:
    assert found(["ab[0-9]", "[0-9]cd", "x"], "ab1cd x") == ["ab1cd", "x"]


def test_a_finding_is_covered_by_a_whole_match_only() -> None:
    allowed = Patterns(["[a-z]{1,10}@example\\.com"])
    assert allowed.covers("INFO@example.com")
    assert not allowed.covers("info@example.com.evil.test")
    assert not allowed.covers("x info@example.com")


def test_no_patterns_do_nothing() -> None:
    none = Patterns([])
    assert (none.find("a"), none.opened("a"), none.covers(""), bool(none)) == ([], None, False, False)


@pytest.mark.parametrize("pattern", ["a*", "(?=x)y", "a{65}", "", "x?", "(?:ab){40}"])
def test_a_pattern_without_a_bound_or_beyond_the_hold_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        Patterns([pattern])


def test_a_match_must_fit_into_the_hold() -> None:
    assert (widest(32), widest(96), widest(1024)) == (24, 64, 64)
    with pytest.raises(PatternError, match="may match 25 characters, more than the 24"):
        Patterns(["a{25}"], most=24)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("see PRJ", 4),
        ("see P\u200bR", 4),
        ("see ＰＲＪ－１２", 4),
        ("PRJ-1234", None),
        ("nothing", None),
        ("", None),
        ("p", 0),
    ],
)
def test_the_beginning_of_a_match_at_the_end_is_seen(text: str, start: int | None) -> None:
    assert Patterns(["PRJ-[0-9]{4}"]).opened(text) == start


@pytest.mark.parametrize(
    ("text", "start"), [("青い鳥計", 0), ("の青\u200bい", 1), ("青い鳥計画", None), ("青赤", None), ("", None)]
)
def test_the_beginning_of_a_term_at_the_end_is_seen(text: str, start: int | None) -> None:
    assert Terms(["青い鳥計画", "赤"]).opened(text) == start


def test_terms_of_one_character_begin_nothing() -> None:
    assert Terms(["赤"]).opened("赤") is None


_ATOMS = st.sampled_from(["a", "b", "[ab]", "c?", "(?:ab|c){1,3}", "a{0,2}", "[bc]{2,3}", "(?:a|bc)"])


@settings(max_examples=400)
@given(st.lists(_ATOMS, min_size=1, max_size=5), st.text("abc", max_size=12), st.data())
def test_whatever_a_match_is_cut_at_its_beginning_is_seen(atoms: list[str], text: str, data: st.DataObject) -> None:
    try:
        listed = Patterns(["".join(atoms)])
    except PatternError:
        return
    for span in listed.find(text)[:1]:
        cut = data.draw(st.integers(span.start + 1, span.end))
        if cut < span.end and not listed.find(text[:cut]):
            opened = listed.opened(text[:cut])
            assert opened is not None
            assert opened <= span.start


def redaction(**lists: list[str]) -> Redaction:
    proto = pb.RedactionPolicy(enabled=True, **lists)
    return Redaction(Policy.compile(proto, b"k" * 16), lambda _text: [])


TERMS = ["青い鳥の計画書", "Project Aurora Borealis", "機密"]
PATTERNS = ["PRJ-[0-9]{4}(?:-[A-Z]{2})?", "契約 ?第[0-9]{1,6}号", "[0-9]{2}の[あ-ん]{1,6}便"]
_WORDS = [*TERMS, "PRJ-0042", "prj-0042-XY", "契約第17号", "契約 第123456号", "12のはやぶさ便", "青い", "の計", "P", "PRJ-", "契約",
          "今日は", "資料を、", "確認。", " ", "です", "Project ", "12の", "\u200b", "\n", "計画"]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_WORDS), max_size=30), st.integers(0, 2**32))
def test_a_stream_denies_what_the_whole_text_denies_however_it_is_cut(words: list[str], seed: int) -> None:
    text = "".join(words)
    lists = {"deny_terms": TERMS, "deny_patterns": PATTERNS}
    whole = redaction(**lists).response(text)
    chance = random.Random(seed)
    for most in (1, 7, len(text) + 1):
        lane = redaction(**lists).lane("x")
        out, at = "", 0
        while at < len(text):
            size = chance.randint(1, most)
            out += lane.feed(text[at : at + size])
            at += size
        assert out + lane.flush() == whole


def test_an_allowed_pattern_lets_a_finding_pass() -> None:
    proto = pb.RedactionPolicy(enabled=True, allow_patterns=["support-[0-9]{1,3}"])
    spans = [Span(0, 10, "PERSON", 0.9, "t"), Span(11, 16, "PERSON", 0.9, "t")]
    exchange = Redaction(Policy.compile(proto, b"k" * 16), lambda _text: spans)
    assert exchange.response("support-42 Alice") == "support-42 <PERSON_1>"
