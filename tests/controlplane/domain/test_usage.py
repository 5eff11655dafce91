"""Days of use."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from controlplane.domain.usage import NOTHING, Usage, local_day


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", date(2026, 11, 20)), ("Asia/Tokyo", date(2026, 11, 21)), ("Nowhere/Land", date(2026, 11, 20))],
)
def test_a_request_counts_on_the_day_it_was_admitted_where_its_tenant_is(zone: str, day: date) -> None:
    assert local_day(int(datetime(2026, 11, 20, 15, 0, tzinfo=UTC).timestamp() * 1e6), zone) == day


def test_sums_add_and_subtract_field_by_field() -> None:
    one, two = Usage(1, 2, 3, 4, 5, 6), Usage(6, 5, 4, 3, 2, 1)
    assert one.plus(two) == Usage(7, 7, 7, 7, 7, 7)
    assert one.minus(one) == NOTHING
