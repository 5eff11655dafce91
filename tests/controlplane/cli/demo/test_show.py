from __future__ import annotations

import io

from kagamipb.admin.v1.admin_pb2 import AuditAttempt, AuditRecord, Budget, Quota, Unit
from rich.console import Console

from controlplane.cli.demo.show import Show, audit_facts, budget_facts


def show() -> Show:
    return Show(Console(file=io.StringIO(), width=80, record=True))


def test_personal_data_and_placeholders_are_told_apart() -> None:
    marked = show().marked("佐藤美咲は<PERSON_1>、番号は****です", ["佐藤美咲"])
    styles = {marked.plain[span.start : span.end]: str(span.style) for span in marked.spans}
    assert styles == {"佐藤美咲": "bold red", "<PERSON_1>": "bold green", "****": "bold green"}


def test_a_claim_that_does_not_hold_is_shown_and_remembered() -> None:
    shown = show()
    shown.proof("water is wet", holds=True)
    shown.proof("fire is cold", holds=False)
    text = shown.console.export_text()
    assert "✓ water is wet" in text
    assert "✗ fire is cold" in text
    assert shown.failed == ["fire is cold"]


def test_texts_are_data_never_markup() -> None:
    shown = show()
    shown.text("title [red]", "[bold]not markup[/bold]", ())
    shown.facts([("[x]", "[y]")])
    shown.scene("[z]")
    text = shown.console.export_text()
    for literal in ("title [red]", "[bold]not markup[/bold]", "[x]", "[y]", "[z]"):
        assert literal in text


def test_budgets_are_shown_in_their_unit_and_without_the_run() -> None:
    money = Budget(quota=Quota(name="money-1a2b", unit=Unit.UNIT_MICRO_USD, cap=1_000_000), settled=1_108)
    trial = Budget(quota=Quota(name="trial-1a2b", unit=Unit.UNIT_REQUESTS, cap=1), settled=1)
    assert budget_facts([money, trial], "after") == [
        ("money after", "$0.001108 of $1.000000"),
        ("trial after", "1 requests of 1 requests"),
    ]


def test_an_audit_record_names_what_was_redacted_where() -> None:
    attempt = AuditAttempt(attempt=1, provider="sim", outcome="completed", request_pii={"PERSON": 2}, writer="w", seq=3)
    facts = dict(audit_facts(AuditRecord(request_id="r", outcome="completed", attempts=[attempt])))
    assert facts["  redacted"] == "request PERSON 2; response nothing"
    assert facts["  chain"].startswith("w #3")
