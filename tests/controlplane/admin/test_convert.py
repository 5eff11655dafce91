from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.policy.v1.policy_pb2 import ACTION_MASK, CustomRecognizer, EntityRule
from support.manifests import manifest
from support.snapshots import PEPPER, key, price, provider

from controlplane.admin.convert import Declared, Making, convert
from controlplane.domain import keys
from controlplane.domain.catalogue import Catalogue, dangling, merge


def making(current: Catalogue | None = None) -> Making:
    numbers = itertools.count(1)
    return Making(current or Catalogue(), PEPPER, lambda size: next(numbers).to_bytes(size))


def declared(change: Callable[[pb.Manifest], Any] = lambda _: None, current: Catalogue | None = None) -> Declared:
    message = manifest()
    change(message)
    return convert(message, making(current))


def test_a_complete_manifest_becomes_the_values_decisions_are_made_of() -> None:
    found = declared()
    assert found.problems == ()
    catalogue = found.catalogue
    assert catalogue.providers == {name: provider(name) for name in ("first", "second")}
    assert catalogue.prices["first", "large", 0] == price()
    assert catalogue.keys["acme", "app"].digest == key().digest
    assert catalogue.tenants["acme"].time_zone == "Asia/Tokyo"
    assert [target.provider for target in catalogue.routes["chat"].targets] == ["first", "second"]
    assert catalogue.quotas["acme", "monthly"].cap == 5_000_000
    assert re.fullmatch("[0-9a-f]{16}", catalogue.policies["default"].version)
    assert list(dangling(catalogue)) == []


def test_a_new_key_without_a_secret_gets_one_that_is_told_once() -> None:
    found = declared(lambda m: m.keys[0].ClearField("secret"))
    (issued,) = found.issued
    assert keys.digest(PEPPER, issued.secret) == found.catalogue.keys["acme", "app"].digest
    assert issued.key_id == found.catalogue.keys["acme", "app"].key_id
    assert issued.secret not in repr(found)


def test_a_known_key_without_a_secret_keeps_its_own() -> None:
    before = declared().catalogue
    after = declared(lambda m: m.keys[0].ClearField("secret"), before)
    assert after.issued == ()
    assert after.catalogue.keys == before.keys


def test_a_new_secret_for_a_known_key_keeps_its_id() -> None:
    before = declared().catalogue.keys["acme", "app"]
    changed = declared(lambda m: setattr(m.keys[0], "secret", "another-secret-of-some-length"), declared().catalogue)
    after = changed.catalogue.keys["acme", "app"]
    assert after.key_id == before.key_id
    assert after.digest != before.digest


def test_a_quota_keeps_its_counters_unless_they_would_mean_something_else() -> None:
    before = declared().catalogue
    quota = before.quotas["acme", "monthly"]
    raised = declared(lambda m: setattr(m.quotas[0], "cap", 9), before).catalogue.quotas["acme", "monthly"]
    assert (raised.quota_id, raised.cap) == (quota.quota_id, 9)
    other = declared(lambda m: setattr(m.quotas[0], "unit", pb.UNIT_REQUESTS), merge(before, before, prune=False))
    assert len({other.catalogue.quotas["acme", "monthly"].unit, quota.unit}) == 2


@pytest.mark.parametrize(
    ("change", "object_", "field"),
    [
        (lambda m: setattr(m.tenants[0], "name", "Acme!"), "tenant 'Acme!'", "name"),
        (lambda m: setattr(m.tenants[0], "time_zone", "Mars/Base"), "tenant 'acme'", "time_zone"),
        (lambda m: setattr(m.tenants[0], "time_zone", "../../etc/passwd"), "tenant 'acme'", "time_zone"),
        (lambda m: setattr(m.tenants[0], "display_name", "x" * 300), "tenant 'acme'", "display_name"),
        (lambda m: setattr(m.keys[0], "secret", "short"), "key 'acme/app'", "secret"),
        (lambda m: setattr(m.keys[0], "secret", "秘密" * 20), "key 'acme/app'", "secret"),
        (lambda m: m.keys[0].ClearField("models"), "key 'acme/app'", "models"),
        (lambda m: setattr(m.keys[0], "expires_at", -1), "key 'acme/app'", "expires_at"),
        (lambda m: setattr(m.providers[0], "url", "first.example"), "provider 'first'", "url"),
        (lambda m: setattr(m.providers[0], "dialect", 0), "provider 'first'", "dialect"),
        (lambda m: setattr(m.providers[0], "dialect", 99), "provider 'first'", "dialect"),
        (lambda m: setattr(m.providers[0], "key_ref", "sk-live"), "provider 'first'", "key_ref"),
        (lambda m: setattr(m.providers[0], "ca_file", "ca.pem"), "provider 'first'", "ca_file"),
        (lambda m: setattr(m.providers[0], "sni", "a b"), "provider 'first'", "sni"),
        (lambda m: setattr(m.providers[0], "idle_timeout_ms", 1 << 31), "provider 'first'", "idle_timeout_ms"),
        (lambda m: setattr(m.prices[0], "input", "2,5"), "price 'first/large'", "input"),
        (lambda m: setattr(m.prices[0], "output", ""), "price 'first/large'", "output"),
        (lambda m: setattr(m.prices[0], "input", "0.0000001"), "price 'first/large'", "input"),
        (lambda m: m.routes[0].ClearField("targets"), "route 'chat'", "targets"),
        (lambda m: m.routes[0].targets.append(m.routes[0].targets[0]), "route 'chat'", "targets"),
        (lambda m: setattr(m.routes[0].targets[1], "provider", "No"), "route 'chat'", "targets[1]"),
        (lambda m: setattr(m.quotas[0], "unit", 0), "quota 'acme/monthly'", "unit"),
        (lambda m: setattr(m.quotas[0], "window", 77), "quota 'acme/monthly'", "window"),
        (lambda m: setattr(m.quotas[0], "cap", 1 << 63), "quota 'acme/monthly'", "cap"),
        (lambda m: setattr(m.quotas[0], "team", "Sales!"), "quota 'acme/monthly'", "team"),
        (lambda m: setattr(m.keys[0], "team", "Sales!"), "key 'acme/app'", "team"),
        (lambda m: m.tenants.append(m.tenants[0]), "tenant 'acme'", "name"),
        (lambda m: setattr(m.policies[0].rules[0], "entity", "person"), "policy 'default'", "rules[0].entity"),
        (lambda m: setattr(m.policies[0].rules[0], "threshold", float("nan")), "policy 'default'", "rules[0].threshold"),
        (lambda m: setattr(m.policies[0].rules[0], "request", 42), "policy 'default'", "rules[0].request"),
        (lambda m: m.policies[0].rules.append(EntityRule(entity="*", request=ACTION_MASK)), "policy 'default'", "rules[1].entity"),
        (lambda m: m.policies[0].deny_terms.append(" "), "policy 'default'", "deny_terms[0]"),
        (lambda m: m.policies[0].deny_patterns.append("(a+)+"), "policy 'default'", "deny_patterns[0]"),
        (lambda m: m.policies[0].allow_patterns.extend(["a", "b{65}"]), "policy 'default'", "allow_patterns[1]"),
        (lambda m: setattr(m.policies[0], "max_hold_chars", 3), "policy 'default'", "max_hold_chars"),
        (lambda m: m.policies[0].recognizers.append(CustomRecognizer(entity="X")), "policy 'default'", "recognizers[0].entity"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_object_and_field(
    change: Callable[[pb.Manifest], Any], object_: str, field: str
) -> None:
    assert (object_, field) in [(problem.object, problem.field) for problem in declared(change).problems]


def test_everything_wrong_is_told_at_once() -> None:
    def change(message: pb.Manifest) -> None:
        message.tenants[0].name = "A"
        message.providers[0].url = "x"
        message.prices[0].input = "x"

    assert len(declared(change).problems) == 3


def test_no_problem_repeats_a_secret() -> None:
    found = declared(lambda m: setattr(m.keys[0], "secret", "hunter2"))
    assert "hunter2" not in repr(found.problems)


def test_a_quota_raises_alerts_at_the_usual_parts_of_its_cap_unless_it_says_otherwise() -> None:
    def alert_at(*percents: int, window: int = pb.WINDOW_MONTH) -> tuple[int, ...]:
        def change(message: pb.Manifest) -> None:
            message.quotas[0].window = window
            message.quotas[0].alert_at.extend(percents)

        found: tuple[int, ...] = declared(change).catalogue.quotas["acme", "monthly"].alert_at
        return found

    assert alert_at() == (50, 80, 95, 100)
    assert alert_at(90, 10) == (10, 90)
    assert alert_at(0) == ()
    assert alert_at(window=pb.WINDOW_MINUTE) == ()
    assert alert_at(100, window=pb.WINDOW_MINUTE) == (100,)


@pytest.mark.parametrize("percents", [(101,), (50, 50), (0, 50), tuple(range(1, 18))])
def test_percentages_are_of_a_cap(percents: tuple[int, ...]) -> None:
    (problem,) = declared(lambda m: m.quotas[0].alert_at.extend(percents)).problems
    assert problem.field == "alert_at"


def test_a_webhook_has_an_address_and_a_secret() -> None:
    def problems(url: str, secret: str) -> list[str]:
        def change(message: pb.Manifest) -> None:
            message.tenants[0].webhook_url, message.tenants[0].webhook_secret = url, secret

        return [problem.field for problem in declared(change).problems]

    assert problems("https://hooks.example/x?y=1", "env:HOOK") == []
    assert problems("http://127.0.0.1:9000/x", "file:/run/hook") == []
    assert problems("https://hooks.example/x", "") == ["webhook_secret"]
    assert problems("", "env:HOOK") == ["webhook_url"]
    assert problems("https://hooks.example/x", "env:KAGAMI_KEY_PEPPER") == ["webhook_secret"]
    for url in (
        "http://hooks.example/x",
        "https://u:p@hooks.example",
        "https://",
        "ftp://h",
        "https://h:0/",
        "https://h/#f",
        "https://h/あ",
    ):
        assert problems(url, "env:HOOK") == ["webhook_url"], url


def test_a_tenant_says_what_happens_when_no_quota_can_be_asked() -> None:
    def unmetered(policy: int) -> bool:
        found: bool = (
            declared(lambda m: setattr(m.tenants[0], "on_quota_unavailable", policy))
            .catalogue.tenants["acme"]
            .unmetered
        )
        return found

    assert not unmetered(pb.ON_QUOTA_UNAVAILABLE_UNSPECIFIED)
    assert not unmetered(pb.ON_QUOTA_UNAVAILABLE_REFUSE)
    assert unmetered(pb.ON_QUOTA_UNAVAILABLE_ALLOW_AND_AUDIT)
    (problem,) = declared(lambda m: setattr(m.tenants[0], "on_quota_unavailable", 9)).problems
    assert problem.field == "on_quota_unavailable"


def test_prices_of_one_model_are_told_apart_by_when_they_come_into_force() -> None:
    def change(message: pb.Manifest, *moments: int) -> None:
        message.prices.extend(
            pb.Price(provider="first", model="large", input="3", output="9", valid_from=moment) for moment in moments
        )

    found = declared(lambda m: change(m, 1_800_000_000))
    assert found.problems == ()
    assert found.catalogue.prices["first", "large", 1_800_000_000].since == 1_800_000_000
    assert found.catalogue.prices["first", "large", 0] == price()
    (problem,) = declared(lambda m: change(m, 7, 7)).problems
    assert (problem.object, problem.field) == ("price 'first/large/7'", "valid_from")
    assert [one.field for one in declared(lambda m: change(m, -1)).problems] == ["valid_from"]
