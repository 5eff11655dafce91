from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from controlplane.cli.local.layout import Layout, StateError, running


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_private(tmp_path: Path) -> None:
    layout = Layout.open(tmp_path / "state")
    secret = layout.secret("key")
    assert [mode(p) for p in (layout.logs, layout.secrets, layout.journals)] == [0o700] * 3
    assert mode(secret) == 0o600
    assert len(secret.read_text()) == 64


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    first = Layout.open(tmp_path).secret("key").read_text()
    assert Layout.open(tmp_path).secret("key").read_text() == first
    assert Layout.open(tmp_path).secret("other").read_text() != first


def test_permissions_that_became_too_wide_are_narrowed(tmp_path: Path) -> None:
    layout = Layout.open(tmp_path)
    layout.secrets.chmod(0o755)
    assert mode(Layout.open(tmp_path).secrets) == 0o700


def test_sockets_of_a_deep_directory_go_to_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    layout = Layout.open(deep)
    assert not layout.run.is_relative_to(deep)
    assert len(str(layout.run)) < 80
    assert mode(layout.run) == 0o700
    assert Layout.open(deep).run == layout.run
    layout.run.rmdir()


def test_a_trap_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "secrets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="not a directory of this user"):
        Layout.open(tmp_path / "state")


def test_a_file_in_the_way_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match="choose another with --state"):
        Layout.open(tmp_path / "state")


def test_a_second_gateway_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    layout = Layout.open(tmp_path)
    lock = layout.lock()
    layout.endpoints.write_text('{"gateway": "http://127.0.0.1:8080"}')
    with pytest.raises(StateError, match=f"process {os.getpid()}, http://127.0.0.1:8080"):
        layout.lock()
    lock.release()
    layout.lock().release()


def test_stale_sockets_are_removed(tmp_path: Path) -> None:
    layout = Layout.open(tmp_path)
    (layout.run / "x.sock").touch()
    layout.endpoints.write_text("{}")
    layout.clear_run()
    assert list(layout.run.iterdir()) == []
    assert running(tmp_path) == {}


def test_a_broken_description_is_no_gateway(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text("{")
    assert running(tmp_path) == {}
