from __future__ import annotations

from dataclasses import replace

import pytest
from support.snapshots import key, policy, price, provider, snapshot

from controlplane.domain.catalogue import Catalogue, Change, changes, dangling, merge, of_snapshot
from controlplane.domain.snapshot import Quota, Route, Target, Tenant

CURRENT = of_snapshot(snapshot(quotas={"acme": (Quota("q1", "monthly", "acme", 1, 5, 10),)}))


def test_a_snapshots_catalogue_is_complete_and_consistent() -> None:
    assert set(CURRENT.keys) == {("acme", "app")}
    assert set(CURRENT.quotas) == {("acme", "monthly")}
    assert list(dangling(CURRENT)) == []


def test_merging_nothing_or_the_same_again_changes_nothing() -> None:
    for declared in (Catalogue(), CURRENT):
        for prune in (False, True):
            assert list(changes(CURRENT, merge(CURRENT, declared, prune=prune))) == []


def test_what_is_declared_is_created_or_replaced() -> None:
    declared = Catalogue(
        tenants={"acme": Tenant("acme", "default", disabled=True), "beta": Tenant("beta", "default")},
    )
    after = merge(CURRENT, declared, prune=False)
    assert list(changes(CURRENT, after)) == [Change("update", "tenants", "acme"), Change("create", "tenants", "beta")]


def test_pruning_touches_only_kinds_that_are_declared() -> None:
    declared = Catalogue(
        providers={"first": provider("first")}, routes={"chat": Route("chat", (Target("first", "large"),))}
    )
    found = list(changes(CURRENT, merge(CURRENT, declared, prune=True)))
    assert found == [
        Change("delete", "providers", "second"),
        Change("delete", "prices", ("second", "small", 0)),
        Change("update", "routes", "chat"),
    ]


def test_what_belongs_to_a_removed_tenant_goes_with_it() -> None:
    after = merge(CURRENT, Catalogue(tenants={"beta": Tenant("beta", "default")}), prune=True)
    assert {change.kind for change in changes(CURRENT, after) if change.verb == "delete"} == {
        "tenants",
        "keys",
        "quotas",
    }
    assert list(dangling(after)) == []


@pytest.mark.parametrize(
    ("change", "object_", "field"),
    [
        ({"policies": {}}, "tenant 'acme'", "policy"),
        ({"tenants": {}}, "key 'acme/app'", "tenant"),
        ({"tenants": {}}, "quota 'acme/monthly'", "tenant"),
        ({"providers": {"second": provider("second")}}, "price 'first/large'", "provider"),
        ({"providers": {"second": provider("second")}}, "route 'chat'", "targets[0]"),
        ({"prices": {("first", "large", 0): price()}}, "route 'chat'", "targets[1]"),
        ({"keys": {("acme", "app"): key(models=frozenset({"none"}))}}, "key 'acme/app'", "models"),
        ({"keys": {("acme", "app"): key(), ("acme", "two"): key(name="two")}}, "key 'acme/two'", "secret"),
        ({"quotas": {("acme", "q"): Quota("q", "q", "acme", 1, 1, 1, key="none")}}, "quota 'acme/q'", "key"),
        ({"quotas": {("acme", "q"): Quota("q", "q", "acme", 1, 1, 1, team="none")}}, "quota 'acme/q'", "team"),
        ({"quotas": {("acme", "q"): Quota("q", "q", "acme", 1, 1, 1, model="none")}}, "quota 'acme/q'", "model"),
        ({"quotas": {("acme", "q"): Quota("q", "q", "acme", 1, 1, 1, provider="none")}}, "quota 'acme/q'", "provider"),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_found(change: dict[str, object], object_: str, field: str) -> None:
    assert (object_, field) in [found[:2] for found in dangling(replace(CURRENT, **change))]


def test_a_quota_of_a_team_needs_a_key_of_it() -> None:
    quota = Quota("q", "q", "acme", 1, 1, 1, team="sales")
    catalogue = replace(CURRENT, keys={("acme", "app"): key(team="sales")}, quotas={("acme", "q"): quota})
    assert list(dangling(catalogue)) == []


def test_a_policy_that_changes_is_an_update() -> None:
    changed = policy(version="f" * 16)
    after = merge(CURRENT, Catalogue(policies={"default": changed}), prune=False)
    assert list(changes(CURRENT, after)) == [Change("update", "policies", "default")]
