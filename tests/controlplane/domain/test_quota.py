"""Lease arithmetic: caps hold under any interleaving, and nothing set aside is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from kagamipb.admin.v1.admin_pb2 import (
    UNIT_CONCURRENT_REQUESTS,
    UNIT_INPUT_TOKENS,
    UNIT_MICRO_USD,
    UNIT_OUTPUT_TOKENS,
    UNIT_REQUESTS,
    UNIT_TOTAL_TOKENS,
    Unit,
)

from controlplane.domain.ports import Demand, Growth
from controlplane.domain.quota import (
    GENEROUS_OUTPUT,
    Account,
    Pool,
    _measured,
    affordable_output,
    amount,
    expected_output,
    growth_demand,
    hopeless,
    largest_output,
    least_output,
    plan,
    squeeze,
)

UNITS = [
    UNIT_MICRO_USD,
    UNIT_REQUESTS,
    UNIT_INPUT_TOKENS,
    UNIT_OUTPUT_TOKENS,
    UNIT_TOTAL_TOKENS,
    UNIT_CONCURRENT_REQUESTS,
]
OUTPUT_UNITS = [UNIT_MICRO_USD, UNIT_OUTPUT_TOKENS, UNIT_TOTAL_TOKENS]


def demand(expected: int = 100, limit: int = 0, price: int = 3_500_000, given: int = 50, base: int = 40) -> Demand:
    cost = base - (-expected * price // 1_000_000)
    return Demand("r", "t", "k", "", "m", ("p",), cost, given, expected, limit, price)


demands = st.builds(
    demand,
    expected=st.integers(0, 5000),
    limit=st.one_of(st.just(0), st.integers(1, 20_000)),
    price=st.integers(0, 80_000_000),
    given=st.integers(0, 10_000),
    base=st.integers(0, 10_000),
)
demands = st.builds(lambda one, streamed: one._replace(streamed=streamed), demands, st.booleans())


# Accounts


def test_a_lease_takes_what_is_needed_and_an_eighth_of_the_rest() -> None:
    assert Account(1000).grant(need=100, want=100, floor=1, squeeze=False) == 100
    assert Account(1000).grant(need=100, want=1000, floor=1, squeeze=False) == 100 + 900 // 8
    assert Account(1000, settled=500, leased=420).grant(need=80, want=1000, floor=1, squeeze=False) == 80


def test_what_does_not_fit_is_not_leased_while_others_may_free_room() -> None:
    assert Account(1000, settled=500, leased=450).grant(need=80, want=80, floor=10, squeeze=False) == 0


def test_what_is_left_is_leased_when_waiting_cannot_help() -> None:
    assert Account(1000, settled=950).grant(need=80, want=80, floor=10, squeeze=False) == 50
    assert Account(1000, settled=500, leased=450).grant(need=80, want=80, floor=10, squeeze=True) == 50
    assert Account(1000, settled=995).grant(need=80, want=80, floor=10, squeeze=True) == 0


def test_a_lowered_cap_leases_nothing() -> None:
    assert Account(100, settled=500).room == -400
    assert Account(100, settled=500).grant(need=1, want=9, floor=0, squeeze=True) == 0
    assert Account(100, settled=500).grant(need=0, want=9, floor=0, squeeze=False) == 0


@given(
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(0, 500),
    st.booleans(),
)
def test_a_grant_never_exceeds_the_room(
    cap: int, settled: int, leased: int, need: int, want: int, floor: int, final: bool
) -> None:
    account = Account(cap, settled, leased)
    granted = account.grant(need, want, floor, final)
    assert 0 <= granted <= max(0, account.room)
    assert granted == 0 or granted >= min(need, floor)


# What a request takes


@pytest.mark.parametrize(
    ("unit", "taken"),
    [
        (UNIT_MICRO_USD, 40 + 700),
        (UNIT_REQUESTS, 1),
        (UNIT_CONCURRENT_REQUESTS, 1),
        (UNIT_INPUT_TOKENS, 50),
        (UNIT_OUTPUT_TOKENS, 200),
        (UNIT_TOTAL_TOKENS, 250),
    ],
)
def test_units_count_what_they_say(unit: int, taken: int) -> None:
    assert amount(demand(), unit, 200) == taken


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown quota unit"):
        amount(demand(), 99, 1)


@given(demands, st.sampled_from(OUTPUT_UNITS), st.integers(0, 10**7))
def test_affordable_output_is_the_most_that_fits(one: Demand, unit: int, room: int) -> None:
    most = affordable_output(one, unit, room)
    if most >= 0 and not (unit == UNIT_MICRO_USD and one.pico_usd_per_output_token == 0):
        assert amount(one, unit, most) <= room
        assert amount(one, unit, most + 1) >= amount(one, unit, most)
        if one.pico_usd_per_output_token >= 1_000_000 or unit != UNIT_MICRO_USD:
            assert amount(one, unit, most + 1) > room


@given(demands)
def test_least_expected_and_largest_output_are_in_order(one: Demand) -> None:
    assert 0 < least_output(one) <= expected_output(one) <= largest_output(one)


def test_with_plenty_of_room_a_request_may_be_long_and_is_not_clamped() -> None:
    taken = plan(demand(), [UNIT_OUTPUT_TOKENS], [Pool(10**9, free=10**6, room=10**9)])
    assert taken is not None
    assert taken == ((GENEROUS_OUTPUT,), 0, GENEROUS_OUTPUT)


def test_as_the_cap_comes_near_a_request_gets_a_share_and_is_held_to_it() -> None:
    taken = plan(demand(expected=100), [UNIT_OUTPUT_TOKENS], [Pool(10**9, free=3200, room=12_800)])
    assert taken is not None
    assert taken == ((1000,), 1000, 1000)


def test_close_to_the_cap_a_request_gets_what_it_is_expected_to_use() -> None:
    taken = plan(demand(expected=100), [UNIT_OUTPUT_TOKENS], [Pool(10**9, free=100, room=0)])
    assert taken is not None
    assert taken == ((100,), 100, 100)


def test_a_clients_own_limit_needs_no_clamp() -> None:
    taken = plan(demand(expected=30, limit=30), [UNIT_OUTPUT_TOKENS], [Pool(10**9, free=100, room=0)])
    assert taken == ((30,), 0, 30)


def test_a_quota_that_does_not_count_output_clamps_nothing() -> None:
    taken = plan(demand(), [UNIT_REQUESTS, UNIT_INPUT_TOKENS], [Pool(9, free=1), Pool(99, free=50)])
    assert taken == ((1, 50), 0, 0)


def test_a_stream_holds_what_it_is_expected_to_use_and_is_not_clamped_while_there_is_plenty_of_room() -> None:
    stream = demand(expected=100)._replace(streamed=True)
    assert plan(stream, [UNIT_OUTPUT_TOKENS], [Pool(10**9, free=10**6, room=10**9)]) == ((100,), 0, 100)
    assert plan(stream, [UNIT_MICRO_USD], [Pool(10**9, free=10**6, room=10**9)]) == ((40 + 350,), 0, 100)


def test_as_the_cap_comes_near_a_stream_may_grow_to_a_share_of_the_room_and_at_the_cap_not_at_all() -> None:
    stream = demand(expected=100)._replace(streamed=True)
    assert plan(stream, [UNIT_OUTPUT_TOKENS], [Pool(10**9, free=3200, room=12_800)]) == ((100,), 1000, 100)
    assert plan(stream, [UNIT_OUTPUT_TOKENS], [Pool(10**9, free=100, room=0)]) == ((100,), 100, 100)


def test_output_that_costs_nothing_is_paid_for_by_no_budget() -> None:
    assert plan(demand(price=0), [UNIT_MICRO_USD], [Pool(10**9, free=10**6, room=10**9)]) == ((40,), 0, 0)


def test_an_extension_takes_output_and_nothing_else() -> None:
    more = growth_demand(Growth("r", "t", "p", "res", 200, 3_500_000))
    assert [amount(more, unit, 200) for unit in OUTPUT_UNITS] == [700, 200, 200]
    units, pools = [UNIT_MICRO_USD, UNIT_TOTAL_TOKENS], [Pool(9999, free=9000), Pool(9999, free=60)]
    assert plan(more, units, pools) is None
    assert squeeze(more, units, pools) == ((210, 60), 60, 60)


def test_without_enough_free_lease_nothing_is_taken() -> None:
    assert plan(demand(), [UNIT_REQUESTS, UNIT_INPUT_TOKENS], [Pool(9, free=1), Pool(99, free=49)]) is None


def test_a_squeezed_request_takes_what_is_left_if_that_is_an_answer() -> None:
    assert squeeze(demand(expected=100), [UNIT_OUTPUT_TOKENS], [Pool(99, free=60)]) == ((60,), 60, 60)
    assert squeeze(demand(expected=100), [UNIT_OUTPUT_TOKENS], [Pool(99, free=15)]) is None


def test_hope_ends_when_the_smallest_answer_does_not_fit_beside_what_is_settled() -> None:
    assert not hopeless(demand(), UNIT_OUTPUT_TOKENS, Pool(100, settled=84))
    assert hopeless(demand(), UNIT_OUTPUT_TOKENS, Pool(100, settled=85))


@given(demands, st.lists(st.sampled_from(UNITS), min_size=1, max_size=4), st.data())
def test_a_hold_always_covers_the_clamped_output(one: Demand, units: list[int], data: st.DataObject) -> None:
    pools = [Pool(10**9, free=data.draw(st.integers(0, 10**6)), room=data.draw(st.integers(0, 10**7))) for _ in units]
    for taken in (plan(one, units, pools), squeeze(one, units, pools)):
        if taken is None:
            continue
        most = taken.max_output_tokens or largest_output(one)
        if one.streamed:
            assert taken.paid_output_tokens <= most
            most = taken.paid_output_tokens or most
        for unit, held, pool in zip(units, taken.amounts, pools, strict=True):
            assert held <= pool.free
            if unit != UNIT_MICRO_USD or one.pico_usd_per_output_token:
                assert amount(one, unit, min(most, largest_output(one))) <= held


# Everything together


class Books(RuleBasedStateMachine):
    """Replicas that lease, admit, extend, settle, give back, die and lower or raise the cap, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account(cap=1000)
        self.leases: dict[int, int] = {}  # as the database has them: free + held
        self.free: dict[int, int] = {}  # as living replicas have them
        # (owner, amount) of unsettled requests: of the reservation first, then of its extensions
        self.held: list[list[tuple[int, int]]] = []
        self.spent = 0
        self.next_owner = 0
        self.highest_cap = 1000

    @rule()
    def start(self) -> None:
        self.free[self.next_owner] = 0
        self.leases[self.next_owner] = 0
        self.next_owner += 1

    @precondition(lambda self: self.free)
    @rule(
        data=st.data(),
        need=st.integers(1, 300),
        extra=st.integers(0, 500),
        floor=st.integers(1, 50),
        final=st.booleans(),
    )
    def lease(self, data: st.DataObject, need: int, extra: int, floor: int, final: bool) -> None:
        owner = data.draw(st.sampled_from(sorted(self.free)))
        granted = self.account.grant(need, need + extra, floor, final)
        self.account = self.account.lease(granted)
        self.leases[owner] += granted
        self.free[owner] += granted

    @precondition(lambda self: self.free)
    @rule(data=st.data(), share=st.floats(0, 1))
    def admit(self, data: st.DataObject, share: float) -> None:
        owner = data.draw(st.sampled_from(sorted(self.free)))
        taken = int(self.free[owner] * share)
        if taken:
            self.free[owner] -= taken
            self.held.append([(owner, taken)])

    @precondition(lambda self: self.held and self.free)
    @rule(data=st.data(), share=st.floats(0, 1))
    def extend(self, data: st.DataObject, share: float) -> None:
        """Any replica may: the one that admitted the request may be dead."""
        request = data.draw(st.sampled_from(self.held))
        owner = data.draw(st.sampled_from(sorted(self.free)))
        taken = int(self.free[owner] * share)
        if taken:
            self.free[owner] -= taken
            request.append((owner, taken))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), share=st.floats(0, 1))
    def settle(self, data: st.DataObject, share: float) -> None:
        request = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        used = int(sum(held for _, held in request) * share)
        self.account = self.account.settle(used, sum(held for _, held in request))
        for owner, held in request:
            self.leases[owner] -= held
        self.spent += used

    @precondition(lambda self: self.free)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from(sorted(self.free)))
        self.account = self.account.lease(-self.free[owner])
        self.leases[owner] -= self.free[owner]
        self.free[owner] = 0

    @precondition(lambda self: self.free)
    @rule(data=st.data())
    def die_and_be_retired(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from(sorted(self.free)))
        del self.free[owner]
        surplus = self.leases[owner] - self.held_by(owner)
        self.account = self.account.lease(-surplus)
        self.leases[owner] -= surplus

    @rule(cap=st.integers(0, 2000))
    def change_cap(self, cap: int) -> None:
        self.account = Account(cap, self.account.settled, self.account.leased)
        self.highest_cap = max(self.highest_cap, cap)

    def held_by(self, owner: int) -> int:
        return sum(held for request in self.held for who, held in request if who == owner)

    @invariant()
    def the_cap_holds(self) -> None:
        assert self.account.settled + self.account.leased <= self.highest_cap
        assert self.account.settled == self.spent

    @invariant()
    def every_hold_is_covered_and_nothing_is_lost(self) -> None:
        assert self.account.leased == sum(self.leases.values())
        for owner, leased in self.leases.items():
            assert leased == self.held_by(owner) + self.free.get(owner, 0)

    def teardown(self) -> None:
        for owner in list(self.free):
            self.account = self.account.lease(-self.free[owner])
        for request in self.held:
            held = sum(amount_ for _, amount_ in request)
            self.account = self.account.settle(held, held)
        assert self.account.leased == 0


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=150, stateful_step_count=40)


# Speed without a difference


@given(
    demands,
    st.lists(
        st.tuples(st.sampled_from(UNITS), st.integers(0, 1 << 22), st.integers(0, 1 << 22)), min_size=1, max_size=4
    ),
)
def test_the_quick_way_to_a_plan_leads_where_the_long_one_does(
    asked: Demand, quotas: list[tuple[Unit, int, int]]
) -> None:
    units = [unit for unit, _, _ in quotas]
    pools = [Pool(1 << 30, free, room) for _, free, room in quotas]
    assert plan(asked, units, pools) == _measured(asked, units, pools)
