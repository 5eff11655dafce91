from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from controlplane.cli.local.children import _MAX_LOG_BYTES, Child, Command, StartError


def python(tmp_path: Path, code: str, **options: object) -> Command:
    env = {"PATH": os.environ["PATH"]}
    return Command("part", (sys.executable, "-c", code), env, tmp_path / "part.log", **options)  # type: ignore[arg-type]


async def until_logged(child: Child, text: str) -> None:
    while text not in child.log_tail(1_000):
        await asyncio.sleep(0.01)


FOREVER = "import time; print('up', flush=True); time.sleep(1000)"


async def test_a_child_that_dies_is_started_again_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(python(tmp_path, FOREVER), said.append)
    await child.start()
    await until_logged(child, "up")
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    while child.pid in {first, None}:
        await asyncio.sleep(0.01)
    assert said == [f"part was ended by SIGKILL; starting again in 0.2 s (log: {tmp_path}/part.log)"]
    await child.stop()
    assert child.pid is None


async def test_a_child_that_keeps_failing_is_started_ever_more_slowly(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(python(tmp_path, "raise SystemExit(3)"), said.append)
    await child.start()
    while len(said) < 3:
        await asyncio.sleep(0.01)
    await child.stop()
    assert [line.partition(";")[0] for line in said] == ["part ended with status 3"] * 3
    assert ["0.2 s" in said[0], "0.4 s" in said[1], "0.8 s" in said[2]] == [True] * 3


async def test_a_stopped_child_stays_stopped_and_its_workers_end_with_it(tmp_path: Path) -> None:
    code = "import os, time; print('worker', os.fork() or os.getpid(), flush=True); time.sleep(1000)"
    said: list[str] = []
    child = Child(python(tmp_path, code), said.append)
    await child.start()
    await until_logged(child, "worker")
    workers = psutil.Process(child.pid).children()
    await child.stop()
    assert said == []
    assert workers
    for worker in workers:
        worker.wait(5)


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(1000)"
    said: list[str] = []
    child = Child(python(tmp_path, code, stop_seconds=0.1), said.append)
    await child.start()
    await until_logged(child, "up")
    process = psutil.Process(child.pid)
    await child.stop()
    assert said == ["part did not stop within 0 s; killing it"]
    assert not process.is_running()


async def test_a_missing_program_is_named(tmp_path: Path) -> None:
    command = Command("envoy", ("/nonexistent/envoy",), {}, tmp_path / "log")
    with pytest.raises(StartError, match=r"cannot run envoy .*/nonexistent/envoy.*: No such file"):
        await Child(command, print).start()


async def test_a_child_inherits_nothing_and_writes_private_files(tmp_path: Path) -> None:
    code = "import os; print(sorted(os.environ)); open(os.environ['F'], 'w').close()"
    command = python(tmp_path, code)
    command = Command(command.name, command.argv, {"F": str(tmp_path / "f")}, command.log)
    child = Child(command, lambda _: None)
    await child.start()
    await until_logged(child, "]")
    await child.stop()
    # LC_CTYPE is Python's own addition (PEP 538).
    assert "['F']" in child.log_tail() or "['F', 'LC_CTYPE']" in child.log_tail()
    assert (tmp_path / "f").stat().st_mode & 0o077 == 0
    assert command.log.stat().st_mode & 0o077 == 0


async def test_a_long_log_is_moved_aside(tmp_path: Path) -> None:
    child = Child(python(tmp_path, ""), print)
    with child.command.log.open("wb") as file:
        file.truncate(_MAX_LOG_BYTES + 1)
    child.trim_log()
    assert child.command.log.stat().st_size == 0
    assert (tmp_path / "part.log.1").stat().st_size == _MAX_LOG_BYTES + 1
