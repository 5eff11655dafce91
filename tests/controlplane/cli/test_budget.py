from __future__ import annotations

import json

from support.admin import KnownAdmin, kagami

from controlplane.cli.output import usd


def test_budgets_are_shown_in_dollars(admin: KnownAdmin) -> None:
    done = kagami("budget", "show")
    assert done.exit_code == 0, done.output
    for text in ("acme", "month", "model=m", "$0.500000", "$2.000000", "$1.499999"):
        assert text in done.stdout


def test_budgets_are_exact_in_json(admin: KnownAdmin) -> None:
    budget = json.loads(kagami("budget", "show", "--json").stdout)["budgets"][0]
    assert budget == {
        "tenant": "acme", "quota": "month", "scope": {"model": "m"}, "unit": "micro_usd", "window": "month",
        "cap": 2_000_000, "settled": 500_000, "reserved": 1, "leased": 3, "window_start": 0, "window_end": 0,
        "leases": [{"owner": "cp-0.ab", "node": "cp-0", "amount": 3}], "forecast": 2_500_000,
        "exhausted_at": 1_700_000_500,
    }  # fmt: skip


def test_a_budget_says_who_leases_it_and_where_it_leads(admin: KnownAdmin) -> None:
    shown = kagami("budget", "show").stdout
    assert "cp-0 $0.000003" in shown
    assert "$2.500000 !" in shown


def test_history_adds_up_by_what_was_asked_for(admin: KnownAdmin) -> None:
    shown = kagami("budget", "history", "--from", "2026-11-01", "--to", "2026-11-20")
    assert shown.exit_code == 0, shown.output
    for text in ("acme", "2026-11-20", "1,200", "$5.000000"):
        assert text in shown.stdout
    (asked,) = admin.usage_queries
    assert (asked.by, asked.from_day, asked.to_day) == (1, "2026-11-01", "2026-11-20")
    (line,) = json.loads(kagami("budget", "history", "--by", "key", "--json").stdout)["usage"]
    assert (line["key_id"], line["key"], line["requests"], line["cost_micro_usd"]) == ("key_1", "app", 3, 5_000_000)
    (line,) = json.loads(kagami("budget", "history", "--by", "model", "--json").stdout)["usage"]
    assert (line["model"], line["output_tokens"]) == ("chat", 34)


def test_a_day_is_a_date(admin: KnownAdmin) -> None:
    assert kagami("budget", "history", "--from", "yesterday").exit_code == 2


def test_alerts_are_listed_with_what_became_of_their_webhooks(admin: KnownAdmin) -> None:
    done = kagami("budget", "alerts")
    assert done.exit_code == 0, done.output
    for text in ("acme", "month", "80 %", "$1.600000", "$2.000000", "delivered (204)"):
        assert text in done.stdout
    (alert,) = json.loads(kagami("budget", "alerts", "--json").stdout)["alerts"]
    assert (alert["alert_id"], alert["percent"], alert["state"], alert["attempts"]) == (
        "alert_q1_0_80",
        80,
        "delivered",
        2,
    )


def test_micro_dollars_are_shown_exactly() -> None:
    assert usd(0) == "$0.000000"
    assert usd(1_234_567_890_123) == "$1,234,567.890123"
