"""Which providers may answer for a route, in the order they are tried.

A target without a known provider, or a price in force, is left out: what cannot be billed is not called. Targets later
in the list answer when earlier ones fail; Envoy asks for them with its attempt counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from controlplane.domain.snapshot import Price, Provider, Route, Snapshot


class Hop(NamedTuple):
    """One attempt a request may make."""

    provider: Provider
    model: str
    """The model's name at the provider."""
    price: Price


def price_at(prices: Sequence[Price], now: float) -> Price | None:
    """The price in force: of those in the order they come into it, the last that has."""
    for price in reversed(prices):
        if price.since <= now:
            return price
    return None


def chain(route: Route, snapshot: Snapshot, now: float, live: frozenset[str] | None = None) -> tuple[Hop, ...]:
    """The attempts a request on this route may make, first to last; empty when none is possible.

    `now`, in Unix seconds, is when the request is admitted: each attempt costs what is in force then.
    `live` names the providers the asking Envoy can reach already; None = it did not say, take all.
    """
    hops = []
    for target in route.targets:
        provider = snapshot.providers.get(target.provider)
        price = price_at(snapshot.prices.get((target.provider, target.model), ()), now)
        reachable = live is None or target.provider in live
        if reachable and provider is not None and price is not None:
            hops.append(Hop(provider, target.model, price))
    return tuple(hops)
