"""`kagami up`: what it does unless told otherwise. The rest of it is tested end to end."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from controlplane.cli.up import command, usual_workers


@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (2, 1), (4, 2), (7, 3), (64, 8)])
def test_one_worker_per_two_processors_this_process_may_use(
    processors: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    assert usual_workers() == workers


@pytest.mark.parametrize(("processors", "workers"), [(6, 3), (None, 1)])
def test_where_there_is_no_affinity_all_processors_count(
    processors: int | None, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert usual_workers() == workers


def test_help_says_how_many_workers_there_are() -> None:
    said = CliRunner().invoke(command, ["--help"]).output
    assert "one per two processors" in " ".join(said.split())
