"""What an administrator is told of budgets."""

from __future__ import annotations

from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import AT, Chain, admitted, closed, opened
from support.snapshots import key

from controlplane.domain.reservation import WindowKey
from controlplane.domain.settlement import Settlement
from controlplane.domain.snapshot import Quota, Snapshot, Tenant
from controlplane.domain.windows import bounds
from controlplane.ledger.queries import Queries
from controlplane.ledger.receiver import Receiver
from controlplane.store import accounts
from controlplane.store.quota import QuotaStore, Want
from controlplane.store.transactions import begin

NOW = AT / 1e6
QUOTAS = (
    Quota("q-day", "daily", "acme", pb.UNIT_REQUESTS, pb.WINDOW_DAY, 1000),
    Quota("q-all", "all", "acme", pb.UNIT_REQUESTS, pb.WINDOW_LIFETIME, 1000, team="sales"),
    Quota("q-roll", "rolling", "acme", pb.UNIT_REQUESTS, pb.WINDOW_ROLLING_HOUR, 10),
)
SNAPSHOT = Snapshot(
    "1", {"acme": Tenant("acme", "p", "Asia/Tokyo")}, {b"d": key(key_id="key-1")}, policies={"p": RedactionPolicy()},
    quotas={"acme": QUOTAS},
)  # fmt: skip
TODAY = bounds(pb.WINDOW_DAY, "Asia/Tokyo", NOW)
YESTERDAY = bounds(pb.WINDOW_DAY, "Asia/Tokyo", TODAY.start - 1)


async def use(engine: AsyncEngine, key_: WindowKey, amount: int) -> None:
    settlement = Settlement()
    settlement.charge(key_, amount)
    async with begin(engine) as connection:
        await accounts.settle(connection, settlement)


async def test_budgets_tell_who_leases_them_and_where_they_lead(engine: AsyncEngine, quotas: QuotaStore) -> None:
    await use(engine, WindowKey("q-day", YESTERDAY.start), 8640)
    await use(engine, WindowKey("q-day", TODAY.start), 4)
    await use(engine, WindowKey("q-all", 0), 7)
    await use(engine, WindowKey("q-roll", -3600), 3)
    await quotas.register("cp-0.1", "cp-0")
    await quotas.exchange("cp-0.1", 1, {}, {WindowKey("q-day", TODAY.start): Want(1000, TODAY.end, 5, 5)})
    reply = await Queries(engine, quotas, lambda: SNAPSHOT, wall=lambda: NOW).budgets(pb.BudgetRequest())
    day, all_, rolling = reply.budgets
    assert (day.settled, day.leased, day.window_start, day.window_end) == (4, 5, TODAY.start, TODAY.end)
    assert [(one.owner, one.node, one.amount) for one in day.leases] == [("cp-0.1", "cp-0", 5)]
    assert 8000 < day.forecast < 9000  # a young day, judged by yesterday's 8640
    assert TODAY.start < day.exhausted_at < TODAY.end
    assert (all_.settled, all_.HasField("forecast"), all_.exhausted_at, all_.quota.team) == (7, False, 0, "sales")
    assert (rolling.settled, rolling.window_start, rolling.HasField("forecast")) == (3, int(NOW) - 3600, False)


async def test_history_names_keys(engine: AsyncEngine, quotas: QuotaStore) -> None:
    entries = [admitted("r1"), opened("r1"), closed("r1", micro_usd=7, tokens=(1, 2))]
    await Receiver(engine).send("dp", Chain("dp").frames(entries))
    queries = Queries(engine, quotas, lambda: SNAPSHOT)
    (by_key,) = (await queries.usage(pb.USAGE_BY_KEY, "", None, None)).usage
    assert (by_key.tenant, by_key.key_id, by_key.key, by_key.cost_micro_usd) == ("acme", "key-1", "app", 7)
    (by_day,) = (await queries.usage(pb.USAGE_BY_UNSPECIFIED, "acme", None, None)).usage
    assert (by_day.day, by_day.requests, by_day.output_tokens) == ("2025-06-15", 1, 2)
