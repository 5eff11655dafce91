"""How the demo looks in a terminal: panels, proofs, coloured personal data. Plain text when it is not a
terminal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kagamipb.admin.v1.admin_pb2 import AuditRecord, Budget, Unit
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from controlplane.cli.output import usd

_PLACEHOLDER = re.compile(r"<[A-Z_]+(?:_|:)[0-9a-f]+>|\*{3,}")
WIDTH = 100


class Show:
    """Writes scenes; remembers whether every proof held."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.failed: list[str] = []

    def say(self, line: str) -> None:
        """A quiet line."""
        self.console.print(Text(line, style="dim"))

    def scene(self, title: str) -> None:
        """A new scene."""
        self.console.print()
        self.console.print(Rule(Text(title, style="bold"), align="left", style="cyan"))

    def text(self, title: str, text: str, personal: Sequence[str]) -> None:
        """A text in a panel; personal data red, placeholders green."""
        self.console.print(Panel(self.marked(text, personal), title=Text(title), title_align="left"))

    def marked(self, text: str, personal: Sequence[str]) -> Text:
        """Text with personal data and placeholders coloured."""
        shown = Text(text)
        for value in personal:
            for found in re.finditer(re.escape(value), text):
                shown.stylize("bold red", *found.span())
        for found in _PLACEHOLDER.finditer(text):
            shown.stylize("bold green", *found.span())
        return shown

    def proof(self, claim: str, *, holds: bool) -> None:
        """A claim that was checked just now."""
        mark = Text("  ✓ ", style="bold green") if holds else Text("  ✗ ", style="bold red")
        self.console.print(mark + Text(claim))
        if not holds:
            self.failed.append(claim)

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Names and values, aligned."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim")
        table.add_column(overflow="fold")
        for name, value in facts:
            table.add_row(Text(f"  {name}"), Text(value))
        self.console.print(table)


def budget_facts(budgets: Sequence[Budget], label: str) -> list[tuple[str, str]]:
    """Spent of the cap, per quota."""
    return [(f"{quota_name(b)} {label}", f"{_amount(b, b.settled)} of {_amount(b, b.quota.cap)}") for b in budgets]


def quota_name(budget: Budget) -> str:
    """A quota's name without the run it belongs to."""
    return str(budget.quota.name).rpartition("-")[0]


def _amount(budget: Budget, value: int) -> str:
    return usd(value) if budget.quota.unit == Unit.UNIT_MICRO_USD else f"{value} requests"


def audit_facts(record: AuditRecord) -> list[tuple[str, str]]:
    """The audit record of a request, shortened for reading."""
    facts = [("request", f"{record.request_id}  {record.outcome}  {usd(record.cost_micro_usd)}")]
    for attempt in record.attempts:
        pii = {**attempt.request_pii}
        facts += [
            (f"attempt {attempt.attempt}", f"{attempt.provider}  {attempt.outcome}  {attempt.provider_status or '-'}"),
            ("  tokens", f"{attempt.input_tokens} in, {attempt.output_tokens} out"),
            ("  redacted", f"request {_counts(pii)}; response {_counts(dict(attempt.response_pii))}"),
            (
                "  request",
                f"received {attempt.request_received_sha256[:16]}…  sent {attempt.request_sent_sha256[:16]}…",
            ),
            (
                "  response",
                f"received {attempt.response_received_sha256[:16]}…  sent {attempt.response_sent_sha256[:16]}…",
            ),
            ("  chain", f"{attempt.writer} #{attempt.seq}  link {attempt.link[:16]}…"),
        ]
    return facts


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{entity} {count}" for entity, count in sorted(counts.items())) or "nothing"
