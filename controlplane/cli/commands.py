"""The table of sub-commands and the conventions they share."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "up": ("controlplane.cli.up", "Run the whole gateway on this machine."),
    "demo": ("controlplane.cli.demo", "Show the gateway at work, in about ten seconds."),
    "apply": ("controlplane.cli.apply", "Make the configuration what a YAML file says."),
    "status": ("controlplane.cli.status", "Ask a running gateway for its revision and its Envoys."),
    "doctor": ("controlplane.cli.doctor", "Check this machine and a running gateway, part by part."),
    "budget": ("controlplane.cli.budget", "Show what quotas have left."),
    "audit": ("controlplane.cli.audit", "Follow, verify and export the audit trail."),
    "health": ("controlplane.cli.health", "Ask parts of a gateway whether they serve (exit code 0 or 1)."),
    "bootstrap": ("controlplane.cli.bootstrap", "Write the file an Envoy of its own is started with."),
    "redact": ("controlplane.cli.programs:redact", "Find and mask personal data in text, files or JSON lines."),
    "controlplane": ("controlplane.cli.programs:controlplane", "Run one control plane (settings: environment)."),
    "dataplane": ("controlplane.cli.programs:dataplane", "Run one data plane (settings: environment)."),
    "simulator": ("controlplane.cli.programs:simulator", "Run the simulated provider."),
}
"""Name → module[:attribute] and its one line of help."""


class Lazy(click.Group):
    """Imports a sub-command's module when the sub-command is used, not when it is listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """In the order above, which is the order of use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command itself, or None for an unknown name."""
        if cmd_name not in _COMMANDS:
            return None
        path, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(path), attribute or "command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """From the table: no module is imported for a listing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="kagami")
def main() -> None:
    """Kagami (鏡): an LLM gateway that governs what leaves.

    Start with `kagami demo`, or `kagami up` and `kagami apply -f FILE`.
    """
