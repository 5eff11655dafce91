from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.ids import RANDOM_BYTES, uuid7

MICROS = st.integers(0, ((1 << 48) - 1) * 1000)
RANDOM = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(MICROS, RANDOM)
def test_it_is_a_version_7_uuid_that_tells_its_millisecond(micros: int, random: bytes) -> None:
    made = uuid.UUID(uuid7(micros, random))
    assert (made.variant, made.version) == (uuid.RFC_4122, 7)
    assert made.int >> 80 == micros // 1000


@given(MICROS, RANDOM, RANDOM)
def test_seventy_four_random_bits_tell_two_of_one_millisecond_apart(micros: int, one: bytes, two: bytes) -> None:
    kept = [int.from_bytes(bits) >> 68 << 62 | int.from_bytes(bits) & ((1 << 62) - 1) for bits in (one, two)]
    assert (uuid7(micros, one) == uuid7(micros, two)) == (kept[0] == kept[1])


def test_later_ids_sort_later() -> None:
    assert uuid7(1_000, b"\xff" * RANDOM_BYTES) < uuid7(2_000, b"\x00" * RANDOM_BYTES)


@pytest.mark.parametrize(("micros", "random"), [(-1, bytes(10)), (1 << 60, bytes(10)), (0, bytes(9))])
def test_what_does_not_fit_is_refused(micros: int, random: bytes) -> None:
    with pytest.raises(ValueError):
        uuid7(micros, random)
