from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataplane.dialects.model import Measure


def test_characters_beyond_ascii_are_counted_apart():
    assert Measure().plus("abc").plus("東京 Tokyo") == Measure(11, 2)


@given(st.text(max_size=50))
def test_wide_characters_are_never_more_than_all(text):
    measure = Measure().plus(text.encode("utf-8", "ignore").decode())
    assert 0 <= measure.wide <= measure.chars * 1.5
