from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamipb.admin.v1.admin_pb2 import Manifest, Unit, Window
from kagamipb.exchange.v1.exchange_pb2 import Dialect
from kagamipb.policy.v1.policy_pb2 import Action, BudgetEnd, Uninspected

from controlplane.cli.manifest import ManifestError, load


def read(text: str, environment: dict[str, str] | None = None) -> Manifest:
    return load(text, "kagami.yaml", environment or {})


def problem(text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ManifestError) as caught:
        read(text, environment)
    return str(caught.value)


def test_every_kind_of_object_can_be_written() -> None:
    manifest = read(
        """
tenants:
  - {name: acme, policy: standard, time_zone: Asia/Tokyo}
keys:
  - {tenant: acme, name: web, secret: env:WEB_KEY, models: ["*"], expires_at: 2030-01-31}
providers:
  - {name: openai, url: https://api.openai.com/v1, key: env:OPENAI_API_KEY, http2: true}
prices:
  - {provider: openai, model: gpt-4o, input: 2.50, cached_input: 1.25, output: 10}
routes:
  - {model: gpt-4o, targets: [openai, azure/gpt-4o-2024, {provider: other, model: x}]}
policies:
  - name: standard
    enabled: true
    uninspected: block
    budget_end: error
    rules:
      - {entity: PERSON, request: pseudonym, response: replace, threshold: 0.5}
      - entity: PHONE_NUMBER
        response: operator
        operator: {name: mask, masking_char: "*", chars_to_mask: 4, from_end: true}
    allow_terms: [Kagami]
    deny_patterns: ["PRJ-[0-9]{4}"]
quotas:
  - {name: month, tenant: acme, unit: usd, window: month, cap: 12.34}
  - {name: calls, tenant: acme, unit: requests, window: minute, cap: 600}
""",
        {"WEB_KEY": "sk-secret"},
    )
    assert manifest.keys[0].secret == "sk-secret"
    assert manifest.keys[0].expires_at == 1_896_048_000
    provider = manifest.providers[0]
    assert (provider.key_ref, provider.http2) == ("env:OPENAI_API_KEY", True)
    assert provider.dialect == Dialect.DIALECT_OPENAI_CHAT
    assert (manifest.prices[0].input, manifest.prices[0].output) == ("2.50", "10")
    targets = [(target.provider, target.model) for target in manifest.routes[0].targets]
    assert targets == [("openai", ""), ("azure", "gpt-4o-2024"), ("other", "x")]
    policy = manifest.policies[0]
    assert policy.uninspected == Uninspected.UNINSPECTED_BLOCK
    assert policy.budget_end == BudgetEnd.BUDGET_END_ERROR
    assert (policy.rules[0].request, policy.rules[0].response) == (Action.ACTION_PSEUDONYM, Action.ACTION_REPLACE)
    assert policy.rules[0].threshold == 0.5
    mask = policy.rules[1].operator
    assert (policy.rules[1].response, mask.name, mask.chars_to_mask) == (Action.ACTION_OPERATOR, "mask", 4)
    assert list(policy.deny_patterns) == ["PRJ-[0-9]{4}"]
    assert [(q.unit, q.window, q.cap) for q in manifest.quotas] == [
        (Unit.UNIT_MICRO_USD, Window.WINDOW_MONTH, 12_340_000),
        (Unit.UNIT_REQUESTS, Window.WINDOW_MINUTE, 600),
    ]


def test_an_empty_file_is_an_empty_manifest() -> None:
    assert read("") == Manifest()
    assert read("# nothing\n") == Manifest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tenants: [", "kagami.yaml:1: not YAML"),
        ("- a", "kagami.yaml:1: the file: takes fields with values"),
        ("tenant: []", "kagami.yaml:1: the file: has no field 'tenant'; it takes keys, policies"),
        ("tenants: {}", "kagami.yaml:1: tenants: takes a list"),
        ("tenants:\n  - name: a\n    nme: b", "kagami.yaml:3: tenants[0] (a): has no field 'nme'"),
        ("tenants:\n  - name: a\n    name: b", "kagami.yaml:3: tenants[0] (b): has 'name' twice"),
        ("tenants:\n  - name: [a]", "kagami.yaml:2: tenants[0].name: takes one value"),
        ("tenants:\n  - name:", "kagami.yaml:2: tenants[0].name: has no value"),
        ("tenants:\n  - disabled: maybe", "tenants[0].disabled: takes true or false"),
        ("providers:\n  - idle_timeout_ms: 1.5", "providers[0].idle_timeout_ms: takes a whole number from 0"),
        ("providers:\n  - idle_timeout_ms: 99999999999", "takes a whole number from 0"),
        ("providers:\n  - key_ref: x", "has no field 'key_ref'; it takes ca_file, dialect"),
        ("policies:\n  - rules: [{entity: PERSON, request: hide}]", "policies[0].rules[0] (PERSON).request: takes one of replace, pseudonym"),
        ("policies:\n  - rules: [{threshold: .nan}]", "threshold: takes a number"),
        ("policies:\n  - version: abc", "has no field 'version'"),
        ("quotas:\n  - {unit: requests, cap: 1.5}", "cap takes a whole number for this unit"),
        ("quotas:\n  - {unit: usd, cap: 0.0000001}", "at most six decimal places"),
        ("quotas:\n  - {unit: usd, cap: -1}", "at most six decimal places, from 0"),
        ("quotas:\n  - {unit: yen, cap: 1}", "unit: takes one of usd, micro_usd, requests"),
        ("keys:\n  - secret: sk-plain", "keys[0].secret: takes env:NAME or file:PATH"),
        ("keys:\n  - secret: env:NOT_THERE", "the environment has no NOT_THERE"),
        ("keys:\n  - secret: file:/nonexistent/key", "cannot read /nonexistent/key: No such file"),
        ("keys:\n  - expires_at: soon", "takes a date as 2030-01-31"),
    ],
)  # fmt: skip
def test_an_error_names_line_object_and_field(text: str, expected: str) -> None:
    assert expected in problem(text)


def test_a_secret_is_read_from_a_file_here(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-file\n")
    assert read(f"keys:\n  - secret: file:{tmp_path}/key").keys[0].secret == "sk-from-file"


def test_a_literal_secret_is_not_repeated_in_the_error() -> None:
    assert "sk-plain" not in problem("keys:\n  - {tenant: a, name: b, secret: sk-plain}")


def test_a_small_file_cannot_mean_an_enormous_one() -> None:
    lists = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10 if n else ['x'] * 10)}]\n" for n in range(8))
    bomb = "policies:\n  - &p {name: a, allow_terms: &t [" + "x, " * 999 + "x]}\n" + "  - *p\n" * 500
    assert "more than 200000 values" in problem(bomb)
    assert problem(lists)


def test_micro_dollars_can_be_written_too() -> None:
    quota = read("quotas: [{unit: micro_usd, cap: 5}]").quotas[0]
    assert (quota.unit, quota.cap) == (Unit.UNIT_MICRO_USD, 5)


def test_money_never_passes_through_a_float() -> None:
    assert read("quotas: [{unit: usd, cap: 9007199254.740993}]").quotas[0].cap == 9_007_199_254_740_993
    assert read("prices: [{input: 0.1000000000000000055}]").prices[0].input == "0.1000000000000000055"


@given(st.text(max_size=200))
def test_any_text_is_either_a_manifest_or_a_plain_error(text: str) -> None:
    with contextlib.suppress(ManifestError):
        load(text, "x", {})


def test_the_examples_are_readable() -> None:
    folder = Path(__file__).parents[3] / "deploy" / "examples"
    found = sorted(folder.glob("*.yaml"))
    assert found
    environment = dict.fromkeys(("OPENAI_API_KEY", "KAGAMI_WEB_KEY", "KAGAMI_BATCH_KEY"), "sk-0123456789abcdef")
    for path in found:
        manifest = load(path.read_text(), path.name, environment)
        assert manifest.routes, path
        known = {provider.name for provider in manifest.providers}
        assert {target.provider for route in manifest.routes for target in route.targets} <= known
        assert {tenant.policy for tenant in manifest.tenants} <= {policy.name for policy in manifest.policies}


def test_alerts_teams_and_what_happens_without_quotas_are_written_plainly() -> None:
    manifest = read("""
        tenants: [{name: acme, on_quota_unavailable: allow_and_audit, webhook_url: "https://h/x", webhook_secret: env:HOOK}]
        keys: [{tenant: acme, name: app, team: sales}]
        quotas: [{tenant: acme, name: q, team: sales, unit: usd, window: rolling_day, cap: 2.5, alert_at: [50, 90]}]
    """)
    assert manifest.tenants[0].on_quota_unavailable == 2
    assert (manifest.keys[0].team, list(manifest.quotas[0].alert_at), manifest.quotas[0].window) == (
        "sales",
        [50, 90],
        8,
    )


def test_a_price_says_from_when_it_holds() -> None:
    (price,) = read("prices: [{provider: p, model: m, input: 1, output: 2, from: 2030-01-01}]").prices
    assert price.valid_from == 1_893_456_000
    (price,) = read("prices: [{provider: p, model: m, from: 2030-01-01T00:00:00+09:00}]").prices
    assert price.valid_from == 1_893_456_000 - 9 * 3600
    with pytest.raises(ManifestError, match=r"prices\[0\] \(m\)\.from: takes a date"):
        read("prices: [{model: m, from: soon}]")
