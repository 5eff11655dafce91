"""The `kagami` command: run the gateway, configure it, ask it, verify it.

`main` is the command. Sub-commands live one per module and are imported when used, so that `kagami --help` is
quick; everything that talks to a running gateway goes through its admin gRPC. Exit codes: 0 fine, 1 failed, 2
wrong usage.
"""

from __future__ import annotations

from controlplane.cli.commands import main

__all__ = ["main"]
