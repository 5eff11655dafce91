"""Overlap resolution."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recognizers.finding import Finding
from recognizers.overlap import resolve

TEXT = "0123456789" * 5
FINDINGS = st.lists(
    st.builds(
        lambda start, size, entity, score: Finding(start, start + size, entity, score, "r"),
        st.integers(0, 40),
        st.integers(1, 10),
        st.sampled_from(["ADDRESS", "PERSON", "PHONE_NUMBER", "CUSTOM"]),
        st.sampled_from([0.5, 0.7, 0.9]),
    ),
    max_size=20,
)


def test_an_address_swallows_the_name_inside_it() -> None:
    found = resolve([Finding(0, 10, "ADDRESS", 0.8, "a"), Finding(2, 4, "PERSON", 0.95, "p")], TEXT)
    assert [(one.start, one.end, one.entity) for one in found] == [(0, 10, "ADDRESS")]


def test_what_the_winner_leaves_over_stays_covered() -> None:
    found = resolve([Finding(0, 6, "PHONE_NUMBER", 0.9, "a"), Finding(4, 9, "MY_NUMBER", 0.7, "p")], TEXT)
    assert [(one.start, one.end, one.entity) for one in found] == [(0, 6, "PHONE_NUMBER"), (6, 9, "MY_NUMBER")]


def test_punctuation_alone_is_not_left_over() -> None:
    found = resolve([Finding(0, 2, "PHONE_NUMBER", 0.9, "a"), Finding(0, 3, "MY_NUMBER", 0.7, "p")], "12)")
    assert [(one.start, one.end) for one in found] == [(0, 2)]


@given(FINDINGS)
def test_the_result_is_sorted_without_overlap_and_covers_the_same_characters(found: list[Finding]) -> None:
    resolved = resolve(found, TEXT)
    edges = [place for one in resolved for place in (one.start, one.end)]
    assert edges == sorted(edges)
    covered = {place for one in found for place in range(one.start, one.end)}
    assert covered == {place for one in resolved for place in range(one.start, one.end)}


@given(FINDINGS)
def test_the_order_of_candidates_does_not_matter(found: list[Finding]) -> None:
    assert resolve(found, TEXT) == resolve(found[::-1], TEXT)
