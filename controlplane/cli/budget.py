"""`kagami budget`: what quotas have left, and what was told of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from kagamipb.admin.v1.admin_pb2 import Alert, AlertQuery, Budget, BudgetRequest, Quota, Unit, Window

from controlplane.cli import client, output


@click.group(name="budget")
def command() -> None:
    """Show what quotas have left."""


@command.command(name="show")
@click.option("--tenant", default="", help="Only this tenant.")
@client.options
@output.json_option
def show(*, tenant: str, address: str | None, state: Path, as_json: bool) -> None:
    """Settled, reserved and remaining, per quota."""
    with client.connect(address, state) as admin:
        reply = admin.stub.Budgets(BudgetRequest(tenant=tenant), metadata=admin.metadata, timeout=30)
    if as_json:
        output.show_json({"budgets": [as_dict(budget) for budget in reply.budgets]})
        return
    columns = ("tenant", "quota", "scope", "window", "settled", "reserved", "leased", "cap", "left", "ends")
    output.show_table(columns, (_row(budget) for budget in reply.budgets), "no quotas")


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
    }


def amount(quota: Quota | Alert, value: int) -> str:
    """A value in the quota's unit, for people."""
    return output.usd(value) if quota.unit == Unit.UNIT_MICRO_USD else f"{value:,}"


def _row(budget: Budget) -> tuple[str, ...]:
    quota = budget.quota
    left = max(0, quota.cap - budget.settled - budget.reserved)
    unit = "" if quota.unit == Unit.UNIT_MICRO_USD else f" {_short(Unit.Name(quota.unit))}"
    scope = " ".join(f"{name}={value}" for name, value in _scope(quota).items())
    values = (budget.settled, budget.reserved, budget.leased)
    ends = dt.datetime.fromtimestamp(budget.window_end, dt.UTC).isoformat(" ", "minutes") if budget.window_end else "-"
    shown = (*(amount(quota, value) for value in values), amount(quota, quota.cap) + unit, amount(quota, left))
    return (quota.tenant, quota.name, scope or "-", _short(Window.Name(quota.window)), *shown, ends)


def _scope(quota: Quota) -> dict[str, str]:
    names = ("key", "model", "user", "provider", "team")
    return {name: getattr(quota, name) for name in names if getattr(quota, name)}


def _short(name: str) -> str:
    return name.partition("_")[2].lower()
