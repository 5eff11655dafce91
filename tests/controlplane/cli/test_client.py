from __future__ import annotations

from pathlib import Path

import pytest
from support.admin import kagami


def test_without_a_gateway_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = kagami("status", "--state", str(tmp_path))
    assert done.exit_code == 1
    assert "start one with `kagami up`" in done.stderr


def test_an_address_where_nobody_listens_is_named(tmp_path: Path) -> None:
    done = kagami("status", "--address", f"unix:{tmp_path}/none")
    assert done.exit_code == 1
    assert f"no control plane answers at unix:{tmp_path}/none" in done.stderr


def test_the_state_directory_tells_where_the_gateway_is(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text(f'{{"controlplanes": ["unix:{tmp_path}/cp"]}}')
    done = kagami("status", "--state", str(tmp_path))
    assert f"no control plane answers at unix:{tmp_path}/cp" in done.stderr


def test_an_unreadable_token_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGAMI_ADMIN_TOKEN_FILE", str(tmp_path / "none"))
    done = kagami("status", "--address", f"unix:{tmp_path}/none")
    assert done.exit_code == 1
    assert "cannot read KAGAMI_ADMIN_TOKEN_FILE" in done.stderr
