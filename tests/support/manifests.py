"""A small complete manifest for tests: the same objects as `support.snapshots`, as an administrator would
declare them."""

from __future__ import annotations

from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT
from kagamipb.policy.v1.policy_pb2 import ACTION_PSEUDONYM, EntityRule, RedactionPolicy
from support.snapshots import SECRET


def manifest() -> pb.Manifest:
    providers = [
        pb.Provider(name=name, dialect=DIALECT_OPENAI_CHAT, url=f"https://{name}.example/v1")
        for name in ("first", "second")
    ]
    rule = EntityRule(entity="*", request=ACTION_PSEUDONYM, response=ACTION_PSEUDONYM)
    targets = [pb.RouteTarget(provider="first", model="large"), pb.RouteTarget(provider="second", model="small")]
    return pb.Manifest(
        policies=[RedactionPolicy(name="default", rules=[rule], enabled=True)],
        tenants=[pb.Tenant(name="acme", policy="default", time_zone="Asia/Tokyo")],
        keys=[pb.VirtualKey(tenant="acme", name="app", secret=SECRET, models=["*"])],
        providers=providers,
        prices=[
            pb.Price(provider="first", model="large", input="2", output="8"),
            pb.Price(provider="second", model="small", input="0.5", output="1"),
        ],
        routes=[pb.Route(model="chat", targets=targets)],
        quotas=[
            pb.Quota(name="monthly", tenant="acme", unit=pb.UNIT_MICRO_USD, window=pb.WINDOW_MONTH, cap=5_000_000),
        ],
    )
