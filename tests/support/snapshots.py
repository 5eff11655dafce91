"""A small complete configuration for tests, and a database that holds it.

One tenant `acme` with key `SECRET` (any model), one route `chat` → provider `first` (model `large`), then
`second` (model `small`), policy `default`.
"""

from __future__ import annotations

from typing import Any

from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT
from kagamipb.policy.v1.policy_pb2 import ACTION_PSEUDONYM, EntityRule, RedactionPolicy

from controlplane.domain import keys, pricing
from controlplane.domain.snapshot import Price, Provider, Route, Snapshot, Target, Tenant, VirtualKey

PEPPER = b"a pepper of thirty-two bytes or more"
SECRET = "sk-kagami-invented-for-tests"


def price(input_: str = "2", output: str = "8", since: int = 0) -> Price:
    return pricing.price(input_, "", output, "", "", since=since)


def provider(name: str, **changes: Any) -> Provider:
    values: dict[str, Any] = {
        "dialect": DIALECT_OPENAI_CHAT,
        "tls": True,
        "host": f"{name}.example",
        "port": 443,
        "base_path": "/v1",
    }
    return Provider(name=name, **(values | changes))


def key(secret: str = SECRET, **changes: Any) -> VirtualKey:
    values: dict[str, Any] = {"key_id": "key_1", "tenant": "acme", "name": "app"}
    return VirtualKey(digest=keys.digest(PEPPER, secret), **(values | changes))


def policy(name: str = "default", version: str = "0123456789abcdef") -> RedactionPolicy:
    rules = [EntityRule(entity="*", request=ACTION_PSEUDONYM, response=ACTION_PSEUDONYM)]
    return RedactionPolicy(name=name, rules=rules, enabled=True, version=version)


def snapshot(**changes: Any) -> Snapshot:
    own = key()
    values: dict[str, Any] = {
        "revision": "7",
        "tenants": {"acme": Tenant("acme", "default")},
        "keys": {own.digest: own},
        "providers": {name: provider(name) for name in ("first", "second")},
        "prices": {("first", "large"): (price(),), ("second", "small"): (price("0.5", "1"),)},
        "routes": {"chat": Route("chat", (Target("first", "large"), Target("second", "small")))},
        "policies": {"default": policy()},
    }
    return Snapshot(**(values | changes))
