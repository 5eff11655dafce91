"""How results are shown: tables for people, JSON for programs (`--json`), the same facts in both."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])


def json_option(function: _Function) -> _Function:
    """Adds --json to a sub-command, as the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")(function)


def show_json(value: object) -> None:
    """One JSON document, readable, in the original script."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """A table, or one line when there is nothing."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    if not listed:
        click.echo(empty)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in listed:
        # Values are data, never markup: a model named "[red]" is shown as such.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def moment(micros: int) -> str:
    """Unix microseconds as a date and time in UTC."""
    return dt.datetime.fromtimestamp(micros / 1e6, dt.UTC).isoformat(timespec="milliseconds")


def usd(micro: int) -> str:
    """Micro-dollars as dollars, exactly."""
    return f"${micro // 1_000_000:,}.{micro % 1_000_000:06d}"
