from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_UNSPECIFIED, Target
from support.exchange import context, encoded

from dataplane.errors import InternalError
from dataplane.exchange.context import read


def headers(decision, attempt=b"1"):
    return {"x-kagami-exchange": encoded(decision), "x-envoy-attempt-count": attempt}


def test_each_attempt_has_its_own_target():
    first, second = read(headers(context()), "a"), read(headers(context(), b"2"), "b")
    assert (first.target.model, first.number, first.last) == ("model-a", 1, False)
    assert (second.target.model, second.number, second.last) == ("model-b", 2, True)


def test_padding_is_optional():
    decision = encoded(context())
    padded = decision + b"=" * (-len(decision) % 4)
    assert read({"x-kagami-exchange": padded}, "a").context == context()


@pytest.mark.parametrize("attempt", [b"0", b"3", b"-1", b"", b"1.0", b"99999", "１".encode()])
def test_an_attempt_beyond_the_chain_is_refused(attempt):
    with pytest.raises(InternalError, match="did not plan"):
        read(headers(context(), attempt), "a")


def test_a_hop_may_only_serve_its_own_provider():
    with pytest.raises(InternalError, match="another provider"):
        read(headers(context()), "b")


@pytest.mark.parametrize(
    "decision",
    [
        context(client_dialect=DIALECT_UNSPECIFIED),
        context(client_dialect=9),
        context(chain=[Target(provider="a", dialect=DIALECT_UNSPECIFIED)]),
    ],
)
def test_an_unknown_format_is_refused(decision):
    with pytest.raises(InternalError, match="format"):
        read(headers(decision), "a")


@pytest.mark.parametrize("decision", [context(request_id=""), context(tenant="")])
def test_a_decision_must_say_whose_it_is(decision):
    with pytest.raises(InternalError, match="request or tenant"):
        read(headers(decision), "a")


def test_a_missing_or_oversized_decision_is_refused():
    for made in ({}, {"x-kagami-exchange": b""}, {"x-kagami-exchange": b"A" * 70_000}):
        with pytest.raises(InternalError, match="without its decision"):
            read(made, "a")


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_refused_and_never_breaks_anything(value):
    with pytest.raises(InternalError):
        read({"x-kagami-exchange": value}, "a")
