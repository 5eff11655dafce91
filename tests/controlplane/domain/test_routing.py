from __future__ import annotations

from support.snapshots import price, provider, snapshot

from controlplane.domain.routing import chain, price_at
from controlplane.domain.snapshot import Route, Target

NOW = 1_000.0
ROUTE = Route("chat", (Target("first", "large"), Target("second", "small")))


def test_hops_come_in_the_order_of_the_routes_targets() -> None:
    hops = chain(ROUTE, snapshot(routes={"chat": ROUTE}), NOW)
    assert [(hop.provider.name, hop.model) for hop in hops] == [("first", "large"), ("second", "small")]
    assert hops[0].price == price()


def test_a_target_that_cannot_be_billed_is_not_called() -> None:
    assert [hop.provider.name for hop in chain(ROUTE, snapshot(prices={("second", "small"): (price(),)}), NOW)] == [
        "second"
    ]


def test_a_target_the_asking_envoy_cannot_reach_yet_is_not_called() -> None:
    known = snapshot(routes={"chat": ROUTE})
    assert [hop.provider.name for hop in chain(ROUTE, known, NOW, frozenset({"second", "third"}))] == ["second"]
    assert chain(ROUTE, known, NOW, frozenset()) == ()
    assert len(chain(ROUTE, known, NOW, None)) == 2


def test_a_target_whose_provider_is_unknown_is_not_called() -> None:
    assert [hop.provider.name for hop in chain(ROUTE, snapshot(providers={"first": provider("first")}), NOW)] == [
        "first"
    ]
    assert chain(ROUTE, snapshot(providers={}), NOW) == ()


def test_the_price_is_the_one_in_force_when_the_request_is_admitted() -> None:
    old, new = price(), price("3", "9", since=1000)
    assert [price_at((old, new), now) for now in (0.0, 999.9, 1000.0, 5e9)] == [old, old, new, new]
    assert price_at((new,), 999.9) is None
    later = snapshot(prices={("first", "large"): (new,), ("second", "small"): (old,)})
    assert [hop.provider.name for hop in chain(ROUTE, later, 999.0)] == ["second"]
    assert [hop.price for hop in chain(ROUTE, later, 1000.0)] == [new, old]
