from __future__ import annotations

import subprocess
import sys


def test_a_program_gets_its_arguments_as_they_are() -> None:
    code = "from controlplane.cli import main; main()"
    command = [sys.executable, "-c", code, "simulator", "--tls-cert", "x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--tls-cert and --tls-key go together" in done.stderr
