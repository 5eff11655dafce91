"""`kagami budget`: what quotas have left, and what was told of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from kagamipb.admin.v1.admin_pb2 import (
    Alert,
    AlertQuery,
    Budget,
    BudgetRequest,
    Quota,
    Unit,
    Usage,
    UsageQuery,
    Window,
)

from controlplane.cli import client, output


@click.group(name="budget")
def command() -> None:
    """Show what quotas have left."""


@command.command(name="show")
@click.option("--tenant", default="", help="Only this tenant.")
@client.options
@output.json_option
def show(*, tenant: str, address: str | None, state: Path, as_json: bool) -> None:
    """Settled, reserved and remaining, per quota.

    `by`: the replicas that hold leases. `forecast`: settled use at the window's end, if it goes on as in this window
    so far and, for as much of it as is still to come, as in the window before; `!` where that passes the cap.
    """
    with client.connect(address, state) as admin:
        reply = admin.stub.Budgets(BudgetRequest(tenant=tenant), metadata=admin.metadata, timeout=30)
    if as_json:
        output.show_json({"budgets": [as_dict(budget) for budget in reply.budgets]})
        return
    columns = (
        "tenant", "quota", "scope", "window", "settled", "reserved", "leased", "by", "cap", "left", "forecast", "ends",
    )  # fmt: skip
    output.show_table(columns, (_row(budget) for budget in reply.budgets), "no quotas")


@command.command(name="history")
@click.option("--by", type=click.Choice(["day", "key", "model"]), default="day", show_default=True, help="Add up by.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day; else 30 days ago.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day; else today.")
@click.option("--tenant", default="", help="Only this tenant.")
@client.options
@output.json_option
def history(
    *, by: str, first: dt.datetime | None, last: dt.datetime | None, tenant: str, address: str | None, state: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """What finished requests used, by the day they were admitted in their tenant's time zone."""
    begin = first or dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    query = UsageQuery(
        tenant=tenant, by=f"USAGE_BY_{by.upper()}", from_day=begin.date().isoformat(),
        to_day=last.date().isoformat() if last else "",
    )  # fmt: skip
    with client.connect(address, state) as admin:
        reply = admin.stub.UsageHistory(query, metadata=admin.metadata, timeout=30)
    if as_json:
        output.show_json({"usage": [usage_dict(usage, by) for usage in reply.usage]})
        return
    columns = ("tenant", by, "requests", "input", "cached", "output", "reasoning", "cost")
    output.show_table(columns, (_usage_row(usage, by) for usage in reply.usage), "nothing used")


_SUMS = ("requests", "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")


def usage_dict(usage: Usage, by: str) -> dict[str, object]:
    """A line of history for `--json`; money in micro-dollars."""
    named = {"key_id": usage.key_id, "key": usage.key} if by == "key" else {by: getattr(usage, by)}
    sums = {name: getattr(usage, name) for name in (*_SUMS, "cost_micro_usd")}
    return {"tenant": usage.tenant, **named, **sums}


def _usage_row(usage: Usage, by: str) -> tuple[str, ...]:
    name = (usage.key or usage.key_id) if by == "key" else getattr(usage, by)
    return (usage.tenant, name, *(f"{getattr(usage, one):,}" for one in _SUMS), output.usd(usage.cost_micro_usd))


@command.command(name="alerts")
@click.option("-n", "limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--tenant", default="", help="Only this tenant.")
@client.options
@output.json_option
def alerts(*, limit: int, tenant: str, address: str | None, state: Path, as_json: bool) -> None:
    """Quotas that reached a part of their cap, newest first, and whether the tenant was told."""
    with client.connect(address, state) as admin:
        reply = admin.stub.Alerts(AlertQuery(tenant=tenant, limit=limit), metadata=admin.metadata, timeout=30)
    if as_json:
        output.show_json({"alerts": [alert_dict(alert) for alert in reply.alerts]})
        return
    columns = ("at", "tenant", "quota", "window", "reached", "settled", "cap", "webhook", "attempts")
    output.show_table(columns, (_alert_row(alert) for alert in reply.alerts), "no alerts")


def alert_dict(alert: Alert) -> dict[str, object]:
    """An alert for `--json`."""
    return {
        "alert_id": alert.alert_id,
        "at": output.moment(alert.at_unix_micros),
        "tenant": alert.tenant,
        "quota": alert.quota,
        "unit": _short(Unit.Name(alert.unit)),
        "window": _short(Window.Name(alert.window)),
        "window_start": alert.window_start,
        "percent": alert.percent,
        "settled": alert.settled,
        "cap": alert.cap,
        "state": alert.state,
        "attempts": alert.attempts,
        "last_status": alert.last_status,
        "writer": alert.writer,
    }


def _alert_row(alert: Alert) -> tuple[str, ...]:
    answer = f"{alert.state} ({alert.last_status})" if alert.last_status else alert.state
    shown = (amount(alert, alert.settled), amount(alert, alert.cap))
    window = _short(Window.Name(alert.window))
    at = output.moment(alert.at_unix_micros)[:19]
    return (at, alert.tenant, alert.quota, window, f"{alert.percent} %", *shown, answer, str(alert.attempts))


def as_dict(budget: Budget) -> dict[str, object]:
    """A budget for `--json`; amounts in the quota's own unit, money in micro-dollars."""
    quota = budget.quota
    return {
        "tenant": quota.tenant,
        "quota": quota.name,
        "scope": _scope(quota),
        "unit": _short(Unit.Name(quota.unit)),
        "window": _short(Window.Name(quota.window)),
        "cap": quota.cap,
        "settled": budget.settled,
        "reserved": budget.reserved,
        "leased": budget.leased,
        "window_start": budget.window_start,
        "window_end": budget.window_end,
        "leases": [{"owner": one.owner, "node": one.node, "amount": one.amount} for one in budget.leases],
        "forecast": budget.forecast if budget.HasField("forecast") else None,
        "exhausted_at": budget.exhausted_at or None,
    }


def amount(quota: Quota | Alert, value: int) -> str:
    """A value in the quota's unit, for people."""
    return output.usd(value) if quota.unit == Unit.UNIT_MICRO_USD else f"{value:,}"


def _row(budget: Budget) -> tuple[str, ...]:
    quota = budget.quota
    left = max(0, quota.cap - budget.settled - budget.reserved)
    unit = "" if quota.unit == Unit.UNIT_MICRO_USD else f" {_short(Unit.Name(quota.unit))}"
    scope = " ".join(f"{name}={value}" for name, value in _scope(quota).items())
    used = [amount(quota, value) for value in (budget.settled, budget.reserved, budget.leased)]
    holders = ", ".join(f"{one.node or 'gone'} {amount(quota, one.amount)}" for one in budget.leases)
    forecast = amount(quota, budget.forecast) if budget.HasField("forecast") else "-"
    forecast += " !" if budget.exhausted_at else ""
    ends = dt.datetime.fromtimestamp(budget.window_end, dt.UTC).isoformat(" ", "minutes") if budget.window_end else "-"
    shown = (*used, holders or "-", amount(quota, quota.cap) + unit, amount(quota, left), forecast, ends)
    return (quota.tenant, quota.name, scope or "-", _short(Window.Name(quota.window)), *shown)


def _scope(quota: Quota) -> dict[str, str]:
    names = ("key", "model", "user", "provider", "team")
    return {name: getattr(quota, name) for name in names if getattr(quota, name)}


def _short(name: str) -> str:
    return name.partition("_")[2].lower()
