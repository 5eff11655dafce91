"""PostgreSQL's programs: found, and copied so that everybody can run them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from pwd import getpwuid

import pytest

from controlplane.cli.local.layout import StateError
from controlplane.cli.local.postgres_programs import copied, installed, reachable


def test_a_directory_is_reachable_only_when_every_parent_is(tmp_path: Path) -> None:
    nobody = getpwuid(65534)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    tmp_path.joinpath("a").chmod(0o700)
    assert not reachable(inner, nobody)
    assert reachable(Path("/"), nobody)


def test_the_newest_binaries_are_found() -> None:
    assert (installed() / "initdb").exists()


def test_a_copy_of_the_binaries_runs_for_everybody(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        binaries = copied(installed(), tmp_path / "shared")
    finally:
        os.umask(old)
    for program in ("initdb", "postgres"):
        # The libraries of the wheel lie outside the installation's own folder.
        done = subprocess.run([binaries / program, "--version"], capture_output=True, text=True, env={}, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    for path in (tmp_path / "shared").rglob("*"):
        mode = path.stat().st_mode
        assert mode & 0o004, path
        assert (mode & 0o001 != 0) == (mode & 0o100 != 0), path


def test_a_copy_is_made_once(tmp_path: Path) -> None:
    binaries = copied(installed(), tmp_path)
    before = (binaries / "postgres").stat().st_ino
    assert copied(installed(), tmp_path) == binaries
    assert (binaries / "postgres").stat().st_ino == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_where_no_copy_can_be_made_that_is_said(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    with pytest.raises(StateError, match=f"files cannot be put into {taken}: "):
        copied(installed(), taken)


def test_missing_binaries_are_said_with_what_to_do() -> None:
    with pytest.raises(StateError, match="run `make setup`, or pip install"):
        installed("no_such_package")
