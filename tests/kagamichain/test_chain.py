"""The link format, pinned by hand-computed bytes."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from kagamichain.chain import GENESIS, link


def test_a_link_is_the_documented_hash() -> None:
    previous = bytes(range(32))
    material = (
        b"kagami-audit-v1\x00" + b"\x00\x04" + b"dp-0" + b"\x00\x00\x00\x00\x00\x00\x01\x00" + previous + b"entry"
    )
    assert link("dp-0", 256, previous, b"entry") == hashlib.sha256(material).digest()


def test_the_first_link_follows_32_zero_bytes() -> None:
    assert bytes(32) == GENESIS


@given(
    st.text(max_size=8),
    st.integers(1, 2**63),
    st.binary(max_size=8),
    st.text(max_size=8),
    st.integers(1, 2**63),
    st.binary(max_size=8),
)
def test_different_inputs_never_share_a_link(w1: str, s1: int, e1: bytes, w2: str, s2: int, e2: bytes) -> None:
    assert (link(w1, s1, GENESIS, e1) == link(w2, s2, GENESIS, e2)) == ((w1, s1, e1) == (w2, s2, e2))
