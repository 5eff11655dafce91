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
    }  # fmt: skip


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
