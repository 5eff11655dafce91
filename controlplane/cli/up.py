"""`kagami up`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

STATE = click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path(".kagami"),
    envvar="KAGAMI_STATE",
    show_default=True,
    help="Directory for data, secrets, sockets and logs.",
)


def usual_workers(processors: int) -> int:
    """How many workers: Envoy, the control plane and PostgreSQL want their share of the processors."""
    return min(8, max(1, processors // 2))


def _processors() -> int:
    """How many this process may use; macOS knows no affinity."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@click.command(name="up")
@STATE
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the gateway listens on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--control-planes", default=1, show_default=True, type=click.IntRange(1, 16), help="Replicas.")
@click.option(
    "--workers",
    default=lambda: usual_workers(_processors()),
    show_default="one per two processors, 8 at most",
    type=click.IntRange(1, 128),
    help="Data-plane processes.",
)
@click.option(
    "--busy-poll-ms",
    default=0,
    show_default=True,
    type=click.IntRange(0, 60_000),
    help="How long control planes and workers stay awake after a request: less latency for a core each.",
)
@click.option("--drain-seconds", default=30.0, show_default=True, help="How long to wait for streams when stopping.")
def command(
    *, state: Path, host: str, port: int, control_planes: int, workers: int, busy_poll_ms: int, drain_seconds: float
) -> None:
    """Run PostgreSQL, control plane, data plane and Envoy until Ctrl-C; children that die are restarted."""
    from controlplane.cli.local.stack import Options
    from controlplane.cli.local.up import up

    options = Options(
        state=state,
        host=host,
        port=port,
        control_planes=control_planes,
        workers=workers,
        busy_poll_ms=busy_poll_ms,
        drain_seconds=drain_seconds,
    )
    sys.exit(asyncio.run(up(options, lambda line: click.echo(line, err=True))))
