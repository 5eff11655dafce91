"""What the demo configures: one tenant, two keys, a living and a dead provider, prices, quotas and a
policy.
"""

from __future__ import annotations

from kagamipb.admin.v1.admin_pb2 import (
    Manifest,
    Price,
    Provider,
    Quota,
    Route,
    RouteTarget,
    Tenant,
    Unit,
    VirtualKey,
    Window,
)
from kagamipb.exchange.v1.exchange_pb2 import Dialect
from kagamipb.policy.v1.policy_pb2 import Action, EntityRule, RedactionPolicy, Uninspected

TENANT = "demo"
MODEL = "sim-ja"
FAILOVER_MODEL = "sim-failover"
PROMPT = (
    "株式会社みらい商事の佐藤美咲と申します。電話は090-8765-4321、メールはmisaki.sato@example.co.jp、"
    "住所は東京都港区芝公園4-2-8です。マイナンバーは2468 1357 9021です。予約の確認メールを書いてください。"
)
PERSONAL = ("佐藤美咲", "090-8765-4321", "misaki.sato@example.co.jp", "東京都港区芝公園4-2-8", "2468 1357 9021")
"""What of the prompt must not leave."""


def manifest(simulator: str, dead: str, secret: str, trial_secret: str, run: str) -> Manifest:
    """The demo's configuration. Quotas are named after the run, so that every demo starts with a full
    budget.
    """
    pseudonym, replace = Action.ACTION_PSEUDONYM, Action.ACTION_REPLACE
    rules = [
        EntityRule(entity="MY_NUMBER", request=replace, response=Action.ACTION_MASK),
        EntityRule(entity="*", request=pseudonym, response=replace),
    ]
    return Manifest(
        tenants=[Tenant(name=TENANT, policy="redact", time_zone="Asia/Tokyo")],
        policies=[
            RedactionPolicy(name="redact", enabled=True, rules=rules, uninspected=Uninspected.UNINSPECTED_BLOCK)
        ],
        providers=[
            Provider(name="simulator", dialect=Dialect.DIALECT_OPENAI_CHAT, url=f"{simulator}/simulator/v1"),
            Provider(name="dead", dialect=Dialect.DIALECT_OPENAI_CHAT, url=f"{dead}/dead/v1"),
        ],
        prices=[
            Price(provider=provider, model=MODEL, input="2.50", cached_input="1.25", output="10.00", reasoning="10.00")
            for provider in ("simulator", "dead")
        ],
        routes=[
            Route(model=MODEL, targets=[RouteTarget(provider="simulator")]),
            Route(
                model=FAILOVER_MODEL,
                targets=[RouteTarget(provider=name, model=MODEL) for name in ("dead", "simulator")],
            ),
        ],
        keys=[
            VirtualKey(tenant=TENANT, name="you", secret=secret, models=["*"]),
            VirtualKey(tenant=TENANT, name="trial", secret=trial_secret, models=["*"]),
        ],
        quotas=[
            Quota(
                name=f"money-{run}", tenant=TENANT, unit=Unit.UNIT_MICRO_USD, window=Window.WINDOW_LIFETIME,
                cap=1_000_000,
            ),
            Quota(
                name=f"trial-{run}", tenant=TENANT, key="trial", unit=Unit.UNIT_REQUESTS,
                window=Window.WINDOW_LIFETIME, cap=1,
            ),
        ],
    )  # fmt: skip
