"""Sub-commands that are programs of their own: this process becomes them, arguments and all."""

from __future__ import annotations

import os
import sys

import click

_ANY = {"ignore_unknown_options": True, "help_option_names": []}


def _become(module: str, arguments: tuple[str, ...]) -> None:
    sys.stdout.flush()
    # Detection multiplies small matrices: threads of a numerical library's own only wait for each other there.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606  # our own modules


@click.command(name="redact", context_settings=_ANY, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def redact(arguments: tuple[str, ...]) -> None:
    """Find and mask personal data; `kagami redact --help` lists the options."""
    _become("dataplane.redact_command", arguments)


@click.command(name="controlplane", context_settings=_ANY, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def controlplane(arguments: tuple[str, ...]) -> None:
    """Run one control plane; it takes its settings from the environment."""
    _become("controlplane", arguments)


@click.command(name="dataplane", context_settings=_ANY, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dataplane(arguments: tuple[str, ...]) -> None:
    """Run one data plane; it takes its settings from the environment."""
    _become("dataplane", arguments)


@click.command(name="simulator", context_settings=_ANY, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulator(arguments: tuple[str, ...]) -> None:
    """Run the simulated provider; `kagami simulator --help` lists the options."""
    _become("controlplane.simulator", arguments)
