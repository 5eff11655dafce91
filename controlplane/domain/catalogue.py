"""The whole configuration as an administrator edits it: merging a manifest, checking what refers to what,
changes.

Strategy: a manifest never touches rows. It is merged into the current catalogue, the result is checked as a
whole, and the difference of the two is what gets written. So a manifest is applied twice without effect, a
dry run is the same computation without the writing, and no sequence of manifests can leave a reference that
leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from kagamipb.policy.v1.policy_pb2 import RedactionPolicy

from controlplane.domain.snapshot import Price, Provider, Quota, Route, Snapshot, Tenant, VirtualKey

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every object by its name; pairs are (tenant, name)."""

    policies: Mapping[str, RedactionPolicy] = field(default_factory=dict)
    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    keys: Mapping[Pair, VirtualKey] = field(default_factory=dict)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    prices: Mapping[tuple[str, str, int], Price] = field(default_factory=dict)
    """By provider, model and the moment they come into force."""
    routes: Mapping[str, Route] = field(default_factory=dict)
    quotas: Mapping[Pair, Quota] = field(default_factory=dict)


KINDS: Final = tuple(kind.name for kind in fields(Catalogue))
"""Attribute names of a catalogue, parents before children."""


@dataclass(frozen=True, slots=True)
class Change:
    """One object that differs."""

    verb: Literal["create", "update", "delete"]
    kind: str
    """One of KINDS."""
    name: Any
    """Key of the object within its kind."""


def of_snapshot(snapshot: Snapshot) -> Catalogue:
    """The same configuration, by name."""
    return Catalogue(
        policies=snapshot.policies,
        tenants=snapshot.tenants,
        keys={(key.tenant, key.name): key for key in snapshot.keys.values()},
        providers=snapshot.providers,
        prices={(*pair, price.since): price for pair, own in snapshot.prices.items() for price in own},
        routes=snapshot.routes,
        quotas={(quota.tenant, quota.name): quota for own in snapshot.quotas.values() for quota in own},
    )


def merge(current: Catalogue, declared: Catalogue, *, prune: bool) -> Catalogue:
    """`current` with everything declared created or replaced.

    `prune` removes what is not declared, within kinds of which something is. What belongs to a removed
    tenant or provider (keys, quotas, prices) goes with it.
    """
    merged: dict[str, Mapping[Any, Any]] = {}
    for kind in KINDS:
        before, wanted = getattr(current, kind), getattr(declared, kind)
        merged[kind] = wanted if prune and wanted else {**before, **wanted}
    for kind, parents in (("keys", "tenants"), ("quotas", "tenants"), ("prices", "providers")):
        wanted = getattr(declared, kind)
        merged[kind] = {
            name: value for name, value in merged[kind].items() if name in wanted or name[0] in merged[parents]
        }
    return Catalogue(**merged)


def changes(before: Catalogue, after: Catalogue) -> Iterator[Change]:
    """What must be written to get from one to the other, parents first, names in order."""
    for kind in KINDS:
        old, new = getattr(before, kind), getattr(after, kind)
        for name in sorted(old.keys() | new.keys()):
            if name not in new:
                yield Change("delete", kind, name)
            elif name not in old:
                yield Change("create", kind, name)
            elif old[name] != new[name]:
                yield Change("update", kind, name)


def dangling(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """References that lead nowhere and rules between objects, as (object, field, what is wrong)."""
    yield from _tenants(catalogue)
    yield from _keys(catalogue)
    for provider, model, _ in catalogue.prices:
        if provider not in catalogue.providers:
            yield f"price '{provider}/{model}'", "provider", f"there is no provider '{provider}'"
    yield from _routes(catalogue)
    yield from _quotas(catalogue)


def _tenants(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    for name, tenant in catalogue.tenants.items():
        if tenant.policy not in catalogue.policies:
            yield f"tenant '{name}'", "policy", f"there is no policy '{tenant.policy}'"


def _keys(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    owners: dict[bytes, str] = {}
    for (tenant, name), key in catalogue.keys.items():
        label = f"key '{tenant}/{name}'"
        if tenant not in catalogue.tenants:
            yield label, "tenant", f"there is no tenant '{tenant}'"
        for model in sorted(key.models - catalogue.routes.keys() - {"*"}):
            yield label, "models", f"there is no route '{model}'"
        if key.digest in owners:
            yield label, "secret", f"is that of {owners[key.digest]} already"
        owners[key.digest] = label


def _routes(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    priced = {(provider, model) for provider, model, _ in catalogue.prices}
    for model, route in catalogue.routes.items():
        for index, target in enumerate(route.targets):
            where = f"route '{model}'", f"targets[{index}]"
            if target.provider not in catalogue.providers:
                yield *where, f"there is no provider '{target.provider}'"
            elif (target.provider, target.model) not in priced:
                price = f"{target.provider}/{target.model}"
                yield *where, f"there is no price '{price}': add one (zeros are allowed)"


def _quotas(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    teams = {(key.tenant, key.team) for key in catalogue.keys.values()}
    for (tenant, name), quota in catalogue.quotas.items():
        label = f"quota '{tenant}/{name}'"
        if tenant not in catalogue.tenants:
            yield label, "tenant", f"there is no tenant '{tenant}'"
        if quota.key and (tenant, quota.key) not in catalogue.keys:
            yield label, "key", f"tenant '{tenant}' has no key '{quota.key}'"
        # A quota that matches nobody would look like a limit and be none.
        if quota.team and (tenant, quota.team) not in teams:
            yield label, "team", f"no key of tenant '{tenant}' is of team '{quota.team}'"
        if quota.model and quota.model not in catalogue.routes:
            yield label, "model", f"there is no route '{quota.model}'"
        if quota.provider and quota.provider not in catalogue.providers:
            yield label, "provider", f"there is no provider '{quota.provider}'"
