from __future__ import annotations

import subprocess
import sys

import pytest
from support.admin import kagami

from controlplane.cli.commands import _COMMANDS, main


def test_help_lists_every_command_without_importing_any() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from controlplane.cli import main;"
        "print(CliRunner().invoke(main, ['--help']).output);"
        "print([m for m in ('grpc', 'rich', 'psycopg', 'yaml', 'openai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    for name in _COMMANDS:
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize("name", sorted(set(_COMMANDS) - {"redact", "controlplane", "dataplane", "simulator"}))
def test_every_command_has_help(name: str) -> None:
    done = kagami(name, "--help")
    assert done.exit_code == 0, done.output
    assert "Usage: main " + name in done.output


def test_an_unknown_command_is_wrong_usage() -> None:
    assert kagami("nonsense").exit_code == 2
    assert main.get_command(None, "nonsense") is None  # type: ignore[arg-type]
