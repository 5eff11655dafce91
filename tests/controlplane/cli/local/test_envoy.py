from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from controlplane.cli.local import envoy
from controlplane.cli.local.layout import Layout


def test_the_binary_is_found_and_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGAMI_ENVOY", raising=False)
    assert os.access(envoy.binary(), os.X_OK)
    monkeypatch.setenv("KAGAMI_ENVOY", "/opt/envoy")
    assert envoy.binary() == "/opt/envoy"


def test_the_bootstrap_names_every_control_plane_and_a_private_admin_socket(tmp_path: Path) -> None:
    layout = Layout.open(tmp_path / "s")
    made = envoy.command(
        layout,
        controlplanes=["unix:/run/cp-0.sock", "unix:/run/cp-1.sock"],
        admin=f"unix:{layout.run}/envoy.sock",
        threads=2,
        env={},
        log=tmp_path / "log",
    )
    bootstrap = yaml.safe_load(Path(made.argv[made.argv.index("-c") + 1]).read_text())
    assert bootstrap["admin"]["address"] == {"pipe": {"path": f"{layout.run}/envoy.sock"}}
    text = str(bootstrap)
    assert "/run/cp-0.sock" in text
    assert "/run/cp-1.sock" in text
    assert made.argv[made.argv.index("--concurrency") + 1] == "2"


@pytest.mark.parametrize(("workers", "threads"), [(1, 2), (2, 2), (8, 8)])
def test_envoy_has_as_many_threads_as_there_are_workers(workers: int, threads: int) -> None:
    assert envoy.threads_beside(workers) == threads
