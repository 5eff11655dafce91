"""The database's clock as a replica knows it, and what leases make of clocks that differ."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controlplane.domain.clock import Offset
from controlplane.domain.quota import Account


def test_a_replica_that_heard_nothing_believes_itself() -> None:
    assert Offset().seconds == 0.0


@given(st.floats(-5, 5), st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=20))
def test_it_is_never_wrong_by_more_than_half_the_quickest_round_trip_and_drift(
    skew: float, trips: list[tuple[float, float]]
) -> None:
    offset, now = Offset(), 1_000_000.0  # the database's clock
    for there, back in trips:
        offset.observe(now - skew, now + there, now + there + back - skew)
        now += there + back + 1
    quickest = min(there + back for there, back in trips) / 2
    assert abs(offset.seconds - skew) <= quickest + 2e-3 * len(trips) + 1e-6


def test_a_quick_reading_is_kept_and_gives_way_to_slower_ones_in_time() -> None:
    offset = Offset()
    offset.observe(100.0, 102.001, 100.002)
    offset.observe(107.0, 109.2, 107.3)  # half a trip is 150 ms
    assert abs(offset.seconds - 2.0) < 1e-6
    offset.observe(300.0, 302.2, 300.3)
    assert abs(offset.seconds - 2.05) < 1e-6


def test_a_clock_that_was_set_is_noticed_at_once() -> None:
    offset = Offset()
    offset.observe(100.0, 100.001, 100.002)
    offset.observe(107.0, 109.0, 107.01)
    assert abs(offset.seconds - 1.995) < 1e-6


# Replicas whose clocks differ, over the ends of windows, through expiry and death

WINDOW, CAP, OWNER_SECONDS, MARGIN = 60, 100, 30.0, 2.0


class Replica:
    """What one process believes: its clock is `skew` seconds ahead of the database's."""

    def __init__(self, name: int, skew: float) -> None:
        self.name, self.skew, self.offset = name, skew, Offset()
        self.trusted_until = float("-inf")
        """By its own clock."""
        self.free: dict[int, int] = {}
        self.slowest = 0.0
        self.heard = 0.0

    def window(self, now: float) -> int:
        return int(now + self.skew + self.offset.seconds) // WINDOW

    def trusts(self, now: float) -> bool:
        return now + self.skew < self.trusted_until


class Replicas(RuleBasedStateMachine):
    """Leases per window, as the database books them by its own clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_020.0
        self.replicas: list[Replica] = []
        self.accounts: dict[int, Account] = {}
        self.leases: dict[tuple[int, int], int] = {}  # (replica, window): free and held
        self.expires: dict[int, float] = {}
        self.held: list[tuple[int, int, int]] = []  # replica, window, amount

    @rule(seconds=st.one_of(st.floats(0, 40), st.floats(OWNER_SECONDS - 2, OWNER_SECONDS + 1)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(skew=st.floats(-2, 2))
    def start(self, skew: float) -> None:
        self.replicas.append(Replica(len(self.replicas), skew))

    @precondition(lambda self: self.replicas)
    @rule(data=st.data(), there=st.floats(0, 0.4), back=st.floats(0, 0.4), need=st.integers(1, 60), late=st.booleans())
    def exchange(self, data: st.DataObject, there: float, back: float, need: int, late: bool) -> None:
        """One trip: renewed by the database's clock, and what is needed for the window the replica is in."""
        one = data.draw(st.sampled_from(self.replicas))
        asked, window = self.now + one.skew, one.window(self.now)
        self.now += there
        told = self.now
        lost = self.expires.get(one.name, float("inf")) < told and late and self.retire(one.name)
        self.expires[one.name] = told + OWNER_SECONDS
        known = one.heard > 0
        granted = 0
        if known and not lost:
            account = self.accounts.setdefault(window, Account(CAP))
            granted = account.grant(need, need * 2, 1, squeeze=False)
            self.accounts[window] = account.lease(granted)
            self.leases[one.name, window] = self.leases.get((one.name, window), 0) + granted
        self.now += back
        one.offset.observe(asked, told, self.now + one.skew)
        one.slowest, one.heard = max(one.slowest, (there + back) / 2), told
        one.trusted_until = asked + OWNER_SECONDS - MARGIN
        if lost:
            one.free.clear()
        one.free[window] = one.free.get(window, 0) + granted

    @precondition(lambda self: any(one.trusts(self.now) for one in self.replicas))
    @rule(data=st.data(), share=st.floats(0, 1))
    def admit(self, data: st.DataObject, share: float) -> None:
        one = data.draw(st.sampled_from([one for one in self.replicas if one.trusts(self.now)]))
        wrong = abs(one.offset.seconds + one.skew)
        assert wrong <= one.slowest + 2e-3 * (self.now - one.heard + OWNER_SECONDS), "the roll-over would be inexact"
        window = one.window(self.now)
        if taken := int(one.free.get(window, 0) * share):
            one.free[window] -= taken
            self.held.append((one.name, window, taken))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), share=st.floats(0, 1))
    def settle(self, data: st.DataObject, share: float) -> None:
        name, window, amount = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.accounts[window] = self.accounts[window].settle(int(amount * share), amount)
        self.leases[name, window] -= amount

    @precondition(lambda self: any(end < self.now for end in self.expires.values()))
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        """Its process may be dead, or stopped and about to go on."""
        self.retire(data.draw(st.sampled_from(sorted(n for n, end in self.expires.items() if end < self.now))))

    def retire(self, name: int) -> bool:
        assert not self.replicas[name].trusts(self.now), "it would spend what others are about to get"
        for key, leased in self.leases.items():
            if key[0] == name:
                held = sum(amount for who, window, amount in self.held if (who, window) == key)
                self.accounts[key[1]] = self.accounts[key[1]].lease(held - leased)
                self.leases[key] = held
        self.expires.pop(name)
        self.replicas[name].free.clear()  # it asks before it admits again, and hears that it lost them
        return True

    @invariant()
    def no_window_is_spent_twice(self) -> None:
        for window, account in self.accounts.items():
            assert account.settled + account.leased <= CAP
            assert account.leased == sum(leased for (_, w), leased in self.leases.items() if w == window)
        for key, leased in self.leases.items():
            held = sum(amount for name, window, amount in self.held if (name, window) == key)
            assert held + self.replicas[key[0]].free.get(key[1], 0) <= leased

    def teardown(self) -> None:
        """Everything released can be had again."""
        self.now += 2 * OWNER_SECONDS
        for name, window, amount in self.held:
            self.accounts[window] = self.accounts[window].settle(0, amount)
            self.leases[name, window] -= amount
        self.held.clear()
        for name in list(self.expires):
            self.retire(name)
        for account in self.accounts.values():
            assert account.leased == 0
            assert account.grant(account.room, account.room, 0, squeeze=False) == CAP - account.settled


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(max_examples=150, stateful_step_count=40)
