from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from controlplane.cli.local import leftovers


def sleeper(mark: Path) -> subprocess.Popen[bytes]:
    code = "print('up', flush=True); import time; time.sleep(1000)"
    env = os.environ | {leftovers.MARK: str(mark)}
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_only_processes_of_this_state_directory_are_ended(tmp_path: Path) -> None:
    ours, others = sleeper(tmp_path / "a"), sleeper(tmp_path / "b")
    assert leftovers.end(tmp_path / "a") == 1
    ours.wait(5)
    assert not psutil.pid_exists(ours.pid)
    assert others.poll() is None
    assert leftovers.find(tmp_path / "a") == []
    others.kill()
    others.wait()
