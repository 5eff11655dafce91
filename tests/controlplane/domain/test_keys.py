from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import keys

PEPPER = b"p" * keys.MIN_PEPPER_BYTES


@given(st.binary(min_size=keys.SECRET_RANDOM_BYTES, max_size=keys.SECRET_RANDOM_BYTES))
def test_a_secret_is_our_prefix_and_43_base_62_characters(random: bytes) -> None:
    assert re.fullmatch(r"sk-kagami-[0-9A-Za-z]{43}", keys.new_secret(random))


def test_different_random_bytes_make_different_secrets_and_ids() -> None:
    one, two = b"\x00" * 47 + b"\x01", b"\x00" * 47 + b"\x02"
    assert keys.new_secret(one) != keys.new_secret(two)
    assert keys.new_key_id(one[-10:]) != keys.new_key_id(two[-10:])


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(ValueError):
        keys.new_secret(b"x" * 16)
    with pytest.raises(ValueError):
        keys.new_key_id(b"x")


@given(st.text(), st.text())
def test_digests_agree_exactly_when_secrets_do(one: str, two: str) -> None:
    assert (keys.digest(PEPPER, one) == keys.digest(PEPPER, two)) == (one == two)


def test_a_digest_is_worth_nothing_without_the_pepper() -> None:
    assert keys.digest(PEPPER, "sk-x") != keys.digest(b"q" * 32, "sk-x")
    assert len(keys.digest(PEPPER, "sk-\ud800")) == 32
