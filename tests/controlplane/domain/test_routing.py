from __future__ import annotations

from support.snapshots import price, provider, snapshot

from controlplane.domain.routing import chain
from controlplane.domain.snapshot import Route, Target

ROUTE = Route("chat", (Target("first", "large"), Target("second", "small")))


def test_hops_come_in_the_order_of_the_routes_targets() -> None:
    hops = chain(ROUTE, snapshot(routes={"chat": ROUTE}))
    assert [(hop.provider.name, hop.model) for hop in hops] == [("first", "large"), ("second", "small")]
    assert hops[0].price == price()


def test_a_target_that_cannot_be_billed_is_not_called() -> None:
    assert [hop.provider.name for hop in chain(ROUTE, snapshot(prices={("second", "small"): price()}))] == ["second"]


def test_a_target_the_asking_envoy_cannot_reach_yet_is_not_called() -> None:
    known = snapshot(routes={"chat": ROUTE})
    assert [hop.provider.name for hop in chain(ROUTE, known, frozenset({"second", "third"}))] == ["second"]
    assert chain(ROUTE, known, frozenset()) == ()
    assert len(chain(ROUTE, known, None)) == 2


def test_a_target_whose_provider_is_unknown_is_not_called() -> None:
    assert [hop.provider.name for hop in chain(ROUTE, snapshot(providers={"first": provider("first")}))] == ["first"]
    assert chain(ROUTE, snapshot(providers={})) == ()
