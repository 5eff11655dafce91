from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataplane.dialects.model import TokenUsage
from dataplane.dialects.openai_usage import numbers_only, token_usage


def test_usage_is_read_with_its_parts():
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }
    assert token_usage(usage) == TokenUsage(9, 7, 8, 6)
    assert token_usage(None) is None


counts = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.text(max_size=2)
    | st.just({"cached_tokens": 9, "reasoning_tokens": 9})
)


@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details"]),
        counts,
    )
)
def test_usage_that_contradicts_itself_never_makes_a_negative_cost(usage):
    read = token_usage(usage)
    assert 0 <= read.cached <= read.input
    assert 0 <= read.reasoning <= read.output


def test_only_numbers_are_shown():
    usage = {
        "prompt_tokens": 1,
        "note": "x",
        "details": {"a": 2.5, "b": [1], "c": None, "佐藤": 3},
        "deep": {"a": {"b": {"c": {"d": 1}}}},
    }
    assert numbers_only(usage) == {
        "prompt_tokens": 1,
        "details": {"a": 2.5, "b": None, "c": None},
        "deep": {"a": {"b": {"c": None}}},
    }
    assert numbers_only("佐藤") is None


def test_a_key_that_is_no_name_of_the_protocol_is_left_out():
    assert numbers_only({"tokens": 1, "090-1234-5678": 2, "taro@example.com": 3}) == {"tokens": 1}
