from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.authz.facts import MAX_USER_CHARS, Facts, read

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def facts(headers: dict[str, str], target: str = "/v1/models") -> Facts:
    return read("GET", target, headers, b"", lambda secret: secret.encode())


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({"authorization": "Bearer sk-1"}, b"sk-1"),
        ({"authorization": "bearer  sk-1 "}, b"sk-1"),
        ({"x-api-key": "sk-2"}, b"sk-2"),
        ({"api-key": "sk-3"}, b"sk-3"),
        ({"authorization": "Bearer sk-1", "x-api-key": "sk-2"}, b"sk-1"),
        ({"authorization": "Basic dXNlcg==", "x-api-key": "sk-2"}, b"sk-2"),
        ({"authorization": "Basic dXNlcg=="}, None),
        ({"authorization": "Bearer "}, None),
        ({"x-api-key": "  "}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_key_is_found_where_the_sdks_put_it(headers: dict[str, str], secret: bytes | None) -> None:
    assert facts(headers).key_digest == secret


def test_the_query_is_no_part_of_the_path() -> None:
    assert facts({}, "/v1/models?limit=3?").path == "/v1/models"


def test_envoy_says_when_the_body_is_cut() -> None:
    assert facts({"x-envoy-auth-partial-body": "true"}).partial
    assert not facts({"x-envoy-auth-partial-body": "false"}).partial


@pytest.mark.parametrize(
    "value", ["", "00-x", TRACE + "-more", TRACE.upper(), "00-" + "0" * 32 + TRACE[35:], "ff" + TRACE[2:]]
)
def test_what_is_no_traceparent_starts_no_trace(value: str) -> None:
    assert facts({"traceparent": value}).traceparent == ""


def test_a_traceparent_is_kept() -> None:
    assert facts({"traceparent": TRACE}).traceparent == TRACE


def test_tags_are_pairs() -> None:
    assert facts({"x-kagami-tags": "team=sales, env = prod ,broken,=x"}).tags == (("team", "sales"), ("env", "prod"))


@given(st.text(), st.text())
def test_what_a_caller_may_choose_stays_small(user: str, tags: str) -> None:
    seen = facts({"x-kagami-user": user * 100, "x-kagami-tags": ",".join([f"{tags}=v"] * 100)})
    assert len(seen.user) <= MAX_USER_CHARS
    assert len(seen.tags) <= 16
    assert all(len(name) <= 64 and len(value) <= 64 for name, value in seen.tags)
    assert all(text.isprintable() for text in (seen.user, *(part for tag in seen.tags for part in tag)))
