"""`kagami up`: what it does unless told otherwise. The rest of it is tested end to end."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from controlplane.cli.up import command, usual_workers


@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (2, 1), (4, 2), (7, 3), (64, 8)])
def test_there_is_one_worker_per_two_processors(processors: int, workers: int) -> None:
    assert usual_workers(processors) == workers


def test_as_many_as_usual_are_taken_unless_told_otherwise() -> None:
    with command.make_context("up", []) as told_nothing, command.make_context("up", ["--workers", "5"]) as told:
        assert 1 <= told_nothing.params["workers"] <= 8
        assert told.params["workers"] == 5


def test_help_says_how_many_workers_there_are() -> None:
    said = CliRunner().invoke(command, ["--help"]).output
    assert "one per two processors" in " ".join(said.split())
