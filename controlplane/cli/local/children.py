"""Processes that are kept alive: start, log, restart with back-off, stop in order.

Guarantees: a child that ends unasked is started again after 0.2 s, doubling to 10 s while it keeps failing;
every restart is said in one line. `stop` asks politely, then kills the whole process group. A log beyond 64
MiB is moved aside once (`.1`). Limits: children write their logs themselves, so a line is never lost with the
supervisor.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]

_FIRST_DELAY, _LONGEST_DELAY = 0.2, 10.0
_HEALTHY_SECONDS = 20.0
"""A child that lived so long starts over with the shortest delay."""
_MAX_LOG_BYTES = 64 << 20


class StartError(Exception):
    """A part could not be started; the message names it, why, and where to look."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. The environment is complete: nothing is inherited."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    user: int | None = None
    group: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0


class Child:
    """One supervised process."""

    def __init__(self, command: Command, say: Say) -> None:
        self.command = command
        self.starts = 0
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Process id, while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start and keep alive. Raises StartError when the program cannot be executed."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.command.name}")

    async def stop(self) -> None:
        """Ask to stop, wait, then kill what is left of the process group."""
        self._stopping = True
        process, keeper = self._process, self._keeper
        if process is None or keeper is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.command.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), self.command.stop_seconds)
        except TimeoutError:
            self._say(f"{self.command.name} did not stop within {self.command.stop_seconds:.0f} s; killing it")
        self._kill_group()
        await process.wait()
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of its log."""
        with contextlib.suppress(OSError), self.command.log.open("rb") as file:
            file.seek(max(0, self.command.log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        return ""

    def trim_log(self) -> None:
        """Move a log that has grown too long aside; the child appends to the same file."""
        with contextlib.suppress(OSError):
            if self.command.log.stat().st_size > _MAX_LOG_BYTES:
                shutil.copyfile(self.command.log, self.command.log.with_suffix(".log.1"))
                os.truncate(self.command.log, 0)

    async def _spawn(self) -> None:
        command = self.command
        descriptor = os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command.argv,
                env=dict(command.env),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd="/",
                user=command.user,
                group=command.group,
                extra_groups=None if command.user is None else [],
                umask=0o077,
                # Ctrl-C in the terminal reaches the supervisor alone, which stops the parts in order.
                start_new_session=True,
            )
        except OSError as error:
            raise StartError(f"cannot run {command.name} ({command.argv[0]}): {error.strerror}") from None
        finally:
            os.close(descriptor)
        self.starts += 1

    async def _keep(self) -> None:
        delay = _FIRST_DELAY
        while True:
            assert self._process is not None
            began = time.monotonic()
            code = await self._process.wait()
            if self._stopping:
                return
            self._kill_group()
            delay = _FIRST_DELAY if time.monotonic() - began > _HEALTHY_SECONDS else delay
            log = self.command.log
            self._say(f"{self.command.name} {_ending(code)}; starting again in {delay:.1f} s (log: {log})")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
            try:
                await self._spawn()
            except StartError as error:
                self._say(str(error))

    def _kill_group(self) -> None:
        # The leader may be gone, its forked workers not; the group's number is theirs as long as one lives.
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
