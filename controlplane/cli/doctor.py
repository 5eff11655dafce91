"""`kagami doctor`: is this machine fit, and does every part of a running gateway answer?"""

from __future__ import annotations

import asyncio
import platform
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click

from controlplane.cli import output
from controlplane.cli.up import STATE

_MIN_FREE_BYTES = 1 << 30


class Finding(NamedTuple):
    """One question and its answer; an empty problem is good."""

    part: str
    facts: str
    problem: str = ""


@click.command(name="doctor")
@STATE
@output.json_option
def command(*, state: Path, as_json: bool) -> None:
    """Check this machine and, when one runs, every part of the local gateway. Exit code 1 if anything is
    wrong.
    """
    findings = [*_machine(state), *asyncio.run(_gateway(state))]
    if as_json:
        output.show_json([finding._asdict() | {"ok": not finding.problem} for finding in findings])
    else:
        rows = (("ok" if not f.problem else "WRONG", f.part, f.problem or f.facts) for f in findings)
        output.show_table(("", "part", ""), rows, "")
    sys.exit(any(finding.problem for finding in findings))


def _machine(state: Path) -> Iterator[Finding]:
    from controlplane.cli.local.layout import StateError

    version = platform.python_version()
    yield Finding("python", version, "" if sys.version_info >= (3, 11) else f"3.11 or newer is needed, not {version}")
    for part, find in (("postgresql", _postgres), ("envoy", _envoy)):
        try:
            yield Finding(part, find())
        except StateError as error:
            yield Finding(part, "", str(error))
    existing = next(path for path in (state.absolute(), *state.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    yield Finding("disk", f"{free >> 30} GiB free", "" if free > _MIN_FREE_BYTES else f"only {free >> 20} MiB free")


def _postgres() -> str:
    from controlplane.cli.local.postgres_programs import installed

    return str(installed())


def _envoy() -> str:
    from controlplane.cli.local.envoy import binary

    return binary()


async def _gateway(state: Path) -> list[Finding]:
    from controlplane.cli.local import probes
    from controlplane.cli.local.layout import running

    said = running(state)
    if not said:
        return [Finding("gateway", f"none runs on {state}")]
    asked: list[tuple[str, str, Callable[[str], Awaitable[str]]]] = [
        *(("control plane", endpoint, probes.grpc_health) for endpoint in said["controlplanes"]),
        *(("data plane", endpoint, probes.grpc_health) for endpoint in said["dataplanes"]),
        ("envoy", said["envoy_admin"], probes.envoy),
        ("gateway", said["gateway"].removeprefix("http://"), probes.gateway),
    ]
    problems = await asyncio.gather(*(probe(endpoint) for _, endpoint, probe in asked))
    return [Finding(part, endpoint, problem) for (part, endpoint, _), problem in zip(asked, problems, strict=True)]
