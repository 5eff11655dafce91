"""Which windows count for whom, found once."""

from __future__ import annotations

import pytest
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, UNIT_REQUESTS, UNIT_TOTAL_TOKENS, WINDOW_LIFETIME, WINDOW_MINUTE

from controlplane.domain.ports import Demand, Growth
from controlplane.domain.reservation import Hold, Reservation, ReservationError, WindowKey, encode
from controlplane.domain.snapshot import Quota, Snapshot, Tenant
from controlplane.ledger.leases import Leases
from controlplane.ledger.scopes import Scopes

MINUTE = Quota("id-m", "minute", "acme", UNIT_TOTAL_TOKENS, WINDOW_MINUTE, 100)
MONEY = Quota("id-usd", "money", "acme", UNIT_MICRO_USD, WINDOW_LIFETIME, 100)
COUNT = Quota("id-n", "count", "acme", UNIT_REQUESTS, WINDOW_LIFETIME, 100)
SNAPSHOT = Snapshot("1", {"acme": Tenant("acme", "p")}, quotas={"acme": (MINUTE, MONEY, COUNT)})
DEMAND = Demand("r", "acme", "k", "", "chat", ("sim",), 1, 1, 1)


def growth(*holds: Hold, tenant: str = "acme") -> Growth:
    return Growth("r", tenant, "sim", encode(Reservation("cp", holds)), 10, 1)


def scopes() -> Scopes:
    return Scopes(Leases(), lambda: 5.0)


def test_a_caller_is_looked_up_until_the_window_ends_or_the_configuration_changes() -> None:
    one = scopes()
    first = one.of(SNAPSHOT, DEMAND, 60.0)
    assert [tracked.key for tracked in first.tracked] == [("id-m", 60), ("id-usd", 0), ("id-n", 0)]
    assert one.of(SNAPSHOT, DEMAND, 119.9) is first
    assert one.of(SNAPSHOT, DEMAND, 120.0).tracked[0].key == ("id-m", 120)
    changed = Snapshot("2", SNAPSHOT.tenants, quotas={"acme": (COUNT,)})
    assert [tracked.key for tracked in one.of(changed, DEMAND, 120.0).tracked] == [("id-n", 0)]


def test_an_extension_counts_in_the_reservations_own_windows_where_output_does() -> None:
    one, key = scopes(), WindowKey("id-m", 60)
    holds = [Hold(key, UNIT_TOTAL_TOKENS, 1, ""), Hold(WindowKey("id-n", 0), UNIT_REQUESTS, 1, "")]
    one.of(SNAPSHOT, DEMAND, 600.0)
    (found,) = one.extended(SNAPSHOT, growth(*holds))
    assert (found.key, found.ends) == (key, 120)
    elsewhere = Hold(WindowKey("id-usd", 0), UNIT_MICRO_USD, 1, "another")
    assert one.extended(SNAPSHOT, growth(elsewhere)) == ()
    assert one.extended(Snapshot("2"), growth(*holds)) == ()
    assert one.extended(SNAPSHOT, growth(*holds, tenant="nobody")) == ()


def test_nonsense_is_no_reservation() -> None:
    with pytest.raises(ReservationError):
        scopes().extended(SNAPSHOT, Growth("r", "acme", "sim", "nonsense", 10, 1))
