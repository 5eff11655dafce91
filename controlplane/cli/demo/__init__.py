"""`kagami demo`: the main job, shown on real parts in about ten seconds.

`configuration` is what the demo applies, `client` talks to the gateway with the official `openai` package,
`scenes` are the things shown, each with its proof, `show` is how they look. A proof that does not hold is
shown as such and the command ends with exit code 1.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click


@click.command(name="demo")
@click.option("--keep", is_flag=True, help="Leave the gateway running until Ctrl-C.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="A free one is taken if it is in use.",
)
@click.option(
    "--state", type=click.Path(path_type=Path), default=Path(".kagami/demo"), show_default=True,
    help="Directory for the demo's data.",
)  # fmt: skip
def command(*, keep: bool, port: int, state: Path) -> None:
    """Start the gateway with a simulated provider and show what it does to a Japanese chat."""
    from controlplane.cli.demo.run import run

    sys.exit(asyncio.run(run(state, port, keep=keep)))


__all__ = ["command"]
