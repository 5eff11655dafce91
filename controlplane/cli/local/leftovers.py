"""Processes of an earlier run whose supervisor was killed: found by a mark in their environment, then ended.

Every child carries `KAGAMI_LOCAL_STATE=<state directory>`; process numbers on disk could have been reused.
PostgreSQL overwrites its environment and is found through its own lock file (see `postgres`). Call only while
holding the state directory's lock: whoever carries the mark then has no supervisor.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

MARK = "KAGAMI_LOCAL_STATE"


def find(state: Path) -> list[psutil.Process]:
    """Marked processes other than ourselves."""
    return [p for p in psutil.process_iter() if p.pid != os.getpid() and _marked(p, state)]


def end(state: Path, seconds: float = 5.0) -> int:
    """End them, forcibly after some seconds; how many there were."""
    found = find(state)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(found, seconds)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, seconds)
    return len(found)


def _marked(process: psutil.Process, state: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(state) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
