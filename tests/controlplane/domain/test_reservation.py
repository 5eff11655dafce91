from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, UNIT_REQUESTS, Unit

from controlplane.domain.reservation import Hold, Reservation, ReservationError, WindowKey, decode, encode

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=12)
holds = st.builds(
    Hold,
    st.builds(WindowKey, names, st.integers(0, 2**40)),
    st.sampled_from([unit for unit in Unit.values() if unit]),
    st.integers(0, 2**62),
    st.one_of(st.just(""), names),
)


def test_a_reservation_reads_as_it_is_written() -> None:
    one = Reservation(
        "cp-0.1", (Hold(WindowKey("q1", 60), UNIT_MICRO_USD, 7, ""), Hold(WindowKey("q2", 0), UNIT_REQUESTS, 1, "sim"))
    )
    assert encode(one) == "cp-0.1|q1,60,1,7,|q2,0,2,1,sim"
    assert decode(encode(one)) == one


@given(names, st.lists(holds, min_size=1, max_size=5))
def test_any_reservation_survives_the_way(owner: str, held: list[Hold]) -> None:
    assert decode(encode(Reservation(owner, tuple(held)))) == Reservation(owner, tuple(held))


@pytest.mark.parametrize(
    "text", ["", "x", "|q,0,1,1,", "o|", "o|q,0,1", "o|q,0,99,1,", "o|q,0,1,-1,", "o|q,zero,1,1,", "o|q,0,1,1,p,extra"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ReservationError):
        decode(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(ReservationError):
        decode(text)
