"""Where a local gateway keeps its state, and who may run on it.

Guarantees: directories are 0700 and secrets 0600, made once; only one `kagami up` uses a state directory at a
time (flock, released by the kernel however the holder dies); sockets live on a path short enough for the
kernel.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SOCKET_PATH_LIMIT = 100
"""sun_path is 108 bytes on Linux and 104 on macOS; a little is left for PostgreSQL's lock file."""
_LONGEST_SOCKET = "/pg/.s.PGSQL.5432.lock"


class StateError(Exception):
    """The state directory cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one state directory. `Layout.open` makes them."""

    state: Path
    run: Path
    """Sockets; emptied at every start."""

    @classmethod
    def open(cls, state: Path) -> Layout:
        """Create what is missing. Raises StateError when the directory is not ours to use."""
        state = state.absolute()
        try:
            _private(state)
            run = state / "run"
            if len(f"{run}{_LONGEST_SOCKET}".encode()) > _SOCKET_PATH_LIMIT:
                digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
                run = Path(tempfile.gettempdir()) / f"kagami-{os.geteuid()}-{digest}"
            layout = cls(state, run)
            for directory in (run, layout.logs, layout.secrets, layout.journals):
                _private(directory)
        except OSError as error:
            hint = "choose another with --state, or make it yours"
            raise StateError(f"cannot use the state directory {state}: {error.strerror}; {hint}") from None
        return layout

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.state / "logs"

    @property
    def secrets(self) -> Path:
        """Keys of this installation."""
        return self.state / "secrets"

    @property
    def journals(self) -> Path:
        """Audit journals, one directory per writer."""
        return self.state / "journals"

    @property
    def endpoints(self) -> Path:
        """Where a running gateway says how to reach it."""
        return self.state / "endpoints.json"

    def secret(self, name: str) -> Path:
        """File with 64 hexadecimal digits of randomness, made on first use, never changed."""
        path = self.secrets / name
        if not path.exists():
            # Written aside and linked, so that neither a crash nor a second writer leaves half a secret.
            draft = path.with_name(f".{name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        return path

    def lock(self) -> Lock:
        """Take the state directory. Raises StateError naming who holds it."""
        descriptor = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            where = running(self.state).get("gateway", "still starting")
            raise StateError(
                f"a gateway is already running on {self.state} (process {holder}, {where}); "
                f"stop it with: kill {holder}   or start another with --state and --port"
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return Lock(descriptor)

    def clear_run(self) -> None:
        """Remove the sockets of an earlier run; nothing listens on them once leftovers are ended."""
        self.endpoints.unlink(missing_ok=True)
        for path in self.run.rglob("*"):
            if not path.is_dir():
                path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Lock:
    """Held until closed or the process ends."""

    descriptor: int

    def release(self) -> None:
        """Let another `kagami up` have the directory."""
        os.close(self.descriptor)


def running(state: Path) -> dict[str, Any]:
    """What the gateway on a state directory said of itself; empty when none runs."""
    try:
        said: dict[str, Any] = json.loads((state / "endpoints.json").read_text())
    except (OSError, ValueError):
        return {}
    return said


def _private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        # A shared temporary directory may hold a trap under our name.
        raise PermissionError(1, f"{directory} is not a directory of this user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)
