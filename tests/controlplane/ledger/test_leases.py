"""Leases in memory, without a database: what is asked for, what goes back, who is served."""

from __future__ import annotations

from kagamipb.admin.v1.admin_pb2 import UNIT_REQUESTS, WINDOW_LIFETIME, WINDOW_MINUTE

from controlplane.domain.ports import Demand, Exhausted, Granted
from controlplane.domain.quota import Account
from controlplane.domain.reservation import WindowKey, decode
from controlplane.domain.snapshot import Quota
from controlplane.ledger.leases import FORGET, FRESH, IDLE, TIDY, Leases, Waiter
from controlplane.ledger.pools import Request
from controlplane.store.quota import Lease

KEY = WindowKey("q", 0)
QUOTA = Quota("q", "per-tenant", "acme", UNIT_REQUESTS, WINDOW_LIFETIME, 1000)


def leases(free: int = 0, ends: int = 0) -> tuple[Leases, Request]:
    one = Leases()
    one.owner = "cp"
    tracked = one.track(QUOTA, KEY, ends, 0.0)
    tracked.pool.free = free
    return one, Request(Demand("r", "acme", "k", "", "m", (), 0, 0, 0), (tracked,), (UNIT_REQUESTS,), (tracked.pool,))


def waiting(one: Leases, request: Request, deadline: float = 9.0) -> tuple[Waiter, list[object]]:
    replies: list[object] = []
    waiter = Waiter(request, deadline, replies.append)
    one.join(waiter)
    return waiter, replies


def test_what_is_free_admits_and_is_used_up() -> None:
    one, request = leases(free=1)
    granted = one.admit(request, 1.0)
    assert granted is not None
    assert decode(granted.reservation_id).holds[0].amount == 1
    assert one.admit(request, 1.0) is None


def test_a_cancelled_reservation_is_free_again_unless_another_owner_made_it() -> None:
    one, request = leases(free=1)
    reservation = decode(one.admit(request, 1.0).reservation_id)
    one.give_back(reservation._replace(owner="another"))
    assert request.pools[0].free == 0
    one.give_back(reservation)
    assert request.pools[0].free == 1


def test_many_who_wait_ask_once_and_are_served_in_order() -> None:
    one, request = leases()
    replies = [waiting(one, request)[1] for _ in range(3)]
    asked = one.round(1.0, 0.0)
    assert list(asked.wants) == [KEY]
    assert asked.wants[KEY].need == 1
    one.answer(asked, {KEY: Lease(2, Account(1000, 998, 2))}, 1.0)
    assert one.serve(asked.waiters, 1.0)
    assert [len(found) for found in replies] == [1, 1, 0]
    assert len(one.waiters) == 1


def test_who_waited_long_enough_is_refused_by_name() -> None:
    one, request = leases()
    _, replies = waiting(one, request, deadline=0.5)
    asked = one.round(1.0, 0.0)
    assert asked.wants[KEY].squeeze
    one.answer(asked, {KEY: Lease(0, Account(1000, 900, 100))}, 1.0)
    one.serve(asked.waiters, 1.0)
    assert replies == [Exhausted("per-tenant", UNIT_REQUESTS, 1000, None)]


def test_who_need_not_hope_is_refused_at_once() -> None:
    one, request = leases()
    _, replies = waiting(one, request)
    asked = one.round(1.0, 0.0)
    one.answer(asked, {KEY: Lease(0, Account(1000, 1000, 0))}, 1.0)
    one.serve(asked.waiters, 1.0)
    assert isinstance(replies[0], Exhausted)
    assert one.refuse(request, 1.0) is not None


def test_a_raised_cap_gives_new_hope() -> None:
    one, request = leases()
    request.pools[0].settled = 1000
    assert one.refuse(request, 1.0) is not None
    one.track(Quota("q", "per-tenant", "acme", UNIT_REQUESTS, WINDOW_LIFETIME, 1001), KEY, 0, 1.0)
    assert one.refuse(request, 1.0) is None


def test_a_rolling_window_is_asked_again_when_its_news_is_old() -> None:
    one, key = Leases(), WindowKey("q", -60)
    tracked = one.track(QUOTA, key, 0, 0.0)
    demand = Demand("r", "acme", "k", "", "m", (), 0, 0, 0)
    request = Request(demand, (tracked,), (UNIT_REQUESTS,), (tracked.pool,))
    _waiter, replies = waiting(one, request)
    asked = one.round(1.0, 0.0)
    one.answer(asked, {key: Lease(0, Account(1000, 1000, 0), 1234)}, 1.0)
    assert one.serve(asked.waiters, 1.0)
    assert replies == [Exhausted("per-tenant", UNIT_REQUESTS, 1000, 1234.0)]
    assert one.refuse(request, 1.0 + FRESH / 2) is not None
    assert one.refuse(request, 1.0 + FRESH) is None
    _waiter, replies = waiting(one, request)
    asked = one.round(3.0, 0.0)
    one.answer(asked, {key: Lease(1, Account(1000, 999, 1), 1234)}, 3.0)
    assert one.serve(asked.waiters, 3.0)
    assert isinstance(replies[0], Granted)


def test_an_unused_lease_goes_back_after_a_while_and_is_forgotten_later() -> None:
    one, _ = leases(free=7)
    assert one.round(IDLE - 1, 0.0).gives == {}
    assert one.round(IDLE + TIDY, 0.0).gives == {KEY: 7}
    assert KEY in one.tracked
    one.round(FORGET + 1, 0.0)
    assert KEY not in one.tracked
    assert one.forgotten == 1


def test_a_lease_on_a_window_that_is_over_goes_back_at_once() -> None:
    one, _ = leases(free=7, ends=60)
    assert one.round(0.0, 59.0).gives == {}
    assert one.round(TIDY, 60.0).gives == {KEY: 7}


def test_what_another_replica_waits_for_goes_back_unless_it_is_needed_here() -> None:
    one, request = leases(free=7)
    assert one.want_back(KEY)
    assert one.round(0.1, 0.0).gives == {KEY: 7}
    assert not one.want_back(KEY)
    request.pools[0].free = 3
    waiting(one, request)
    assert not one.want_back(KEY)


def test_the_lease_is_topped_up_before_it_is_gone() -> None:
    one, request = leases()
    _, replies = waiting(one, request)
    asked = one.round(1.0, 0.0)
    one.answer(asked, {KEY: Lease(9, Account(10**6, 0, 9))}, 1.0)
    one.serve(asked.waiters, 1.0)
    assert isinstance(replies[0], Granted)
    for _ in range(4):
        assert one.admit(request, 1.1)
    assert KEY in one.top_up
    more = one.round(1.2, 0.0)
    assert more.wants[KEY].need == 0
    assert more.wants[KEY].want >= 8


def test_with_little_room_nothing_is_leased_ahead() -> None:
    one, request = leases()
    waiting(one, request)
    asked = one.round(1.0, 0.0)
    one.answer(asked, {KEY: Lease(1, Account(1000, 990, 1))}, 1.0)
    one.serve(asked.waiters, 1.0)
    waiting(one, request)
    assert one.round(1.1, 0.0).wants[KEY].want == 1


def test_after_the_owner_is_lost_nothing_is_free() -> None:
    one, request = leases(free=5)
    one.lose()
    assert one.admit(request, 1.0) is None


def test_windows_of_one_quota_are_apart() -> None:
    one, request = leases(free=5)
    other = one.track(Quota("q", "x", "acme", UNIT_REQUESTS, WINDOW_MINUTE, 9), WindowKey("q", 60), 120, 0.0)
    assert other.pool.free == 0
    assert one.admit(request, 1.0)
