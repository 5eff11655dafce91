from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamirpc.token import LEAST_CHARS, admits, metadata, parse

TOKEN = "kagami-cluster-0123456789abcdef0="
BEARER = f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "headers", [metadata(TOKEN), [(b"authorization", BEARER.encode())], [(b"x", b"y"), ("authorization", BEARER)]]
)
def test_the_token_admits_as_text_and_as_octets(headers):
    assert parse(TOKEN) == TOKEN
    assert admits(TOKEN, headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", TOKEN.encode())],
        [(b"authorization", BEARER[:-1].encode())],
        [(b"authorization", BEARER.encode() + b"=")],
        [(b"authorization", b"Basic " + TOKEN.encode())],
        [(b"x-authorization", BEARER.encode())],
        [("authorization", "Bearer ｋａｇａｍｉ")],
        [(b"authorization", BEARER.encode()), (b"authorization", b"Bearer other")],
        [(b"authorization", BEARER.encode()), (b"authorization", BEARER.encode())],
    ],
)  # fmt: skip
def test_anything_else_is_refused(headers):
    assert not admits(TOKEN, headers)


@given(st.binary(max_size=80))
def test_no_other_octets_are_admitted(value):
    assert admits(TOKEN, [(b"authorization", value)]) == (value == BEARER.encode())


@pytest.mark.parametrize(
    "text", ["", "short", "x" * (LEAST_CHARS - 1), " " * 40, "a" * 40 + "\n", "=" * 40, "%" * 40, "鏡" * 40, "a=" * 20]
)
def test_what_is_short_or_does_not_fit_a_header_is_no_token_and_is_not_repeated(text):
    with pytest.raises(ValueError, match="at least 32 characters") as caught:
        parse(text)
    assert not text.strip() or text not in str(caught.value)


def test_without_a_token_a_caller_presents_nothing():
    assert metadata(None) == ()
