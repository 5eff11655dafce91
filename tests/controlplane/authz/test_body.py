from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.authz.body import Ask, parse_chat
from controlplane.domain.errors import Problem

HELLO = [{"role": "user", "content": "こんにちは"}]


def parse(**fields: Any) -> Ask | Problem:
    return parse_chat(json.dumps({"model": "chat", "messages": HELLO} | fields).encode())


def test_a_plain_request_is_understood() -> None:
    ask = parse(user="u-1", max_tokens=10, n=3)
    assert isinstance(ask, Ask)
    assert (ask.model, ask.user, ask.output_limit, ask.choices) == ("chat", "u-1", 30, 3)
    assert ask.size.overhead > 0
    assert any(ask.size.counts)


def test_null_is_as_good_as_absent() -> None:
    ask = parse(max_tokens=None, n=None, user=None, stream=None, tools=None)
    assert isinstance(ask, Ask)
    assert (ask.output_limit, ask.choices, ask.user) == (0, 1, "")


def test_the_newer_name_of_the_token_limit_wins() -> None:
    ask = parse(max_tokens=10, max_completion_tokens=20)
    assert isinstance(ask, Ask)
    assert ask.output_limit == 20


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 4}, "model"),
        ({"model": "m" * 300}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hello"]}, "messages[0]"),
        ({"messages": [*HELLO, {"content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": 1, "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": {"type": "text"}}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, "y"]}]}, "messages[0].content[1]"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0]"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"n": True}, "n"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -5}, "max_tokens"),
        ({"max_tokens": 2.5}, "max_tokens"),
        ({"max_tokens": 1 << 40}, "max_tokens"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": {}}, "tools"),
        ({"user": 5}, "user"),
        ({"stream_options": []}, "stream_options"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    problem = parse(**fields)
    assert isinstance(problem, Problem)
    assert (problem.status, problem.code, problem.param) == (400, "invalid_request", param)
    assert param in problem.message


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b'{"a":NaN}', b'{"a":"\\ud800"}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_refused_without_quoting_it(body: bytes) -> None:
    problem = parse_chat(body)
    assert isinstance(problem, Problem)
    assert (problem.status, problem.param) == (400, None)


def test_a_message_without_content_is_fine_as_tool_calls_have_none() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert isinstance(parse(messages=[*HELLO, {"role": "assistant", "content": None, "tool_calls": calls}]), Ask)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "type", "text"]), inner)
    ),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["model", "messages", "n", "user", "tools", "stream", "max_tokens", "functions", "response_format"]
)


@given(st.dictionaries(FIELDS, JSON))
def test_any_json_gives_an_ask_or_a_problem_that_quotes_no_value(fields: dict[str, Any]) -> None:
    outcome = parse_chat(json.dumps({"messages": HELLO, "model": "chat"} | fields).encode())
    assert isinstance(outcome, Ask | Problem)


@given(st.binary())
def test_any_bytes_give_an_ask_or_a_problem(body: bytes) -> None:
    assert isinstance(parse_chat(body), Ask | Problem)


def test_no_message_repeats_what_the_caller_wrote() -> None:
    for fields in ({"stream": "山田太郎"}, {"messages": "山田太郎"}, {"user": ["山田太郎"]}):
        problem = parse(**fields)
        assert isinstance(problem, Problem)
        assert "山田" not in problem.message


def test_a_body_nested_deeper_than_can_be_written_again_is_refused() -> None:
    nested = b"[" * 500 + b"]" * 500
    problem = parse_chat(b'{"model":"m","messages":[{"role":"user"}],"tools":' + nested + b"}")
    assert isinstance(problem, Problem)
    assert (problem.status, problem.code) == (400, "invalid_request")
