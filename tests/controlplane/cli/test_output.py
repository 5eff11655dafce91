from __future__ import annotations

import json

import pytest

from controlplane.cli import output


def test_a_table_shows_values_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(("name",), [("[red]鏡[/red]",)], "nothing")
    assert "[red]鏡[/red]" in capsys.readouterr().out


def test_no_rows_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(("name",), [], "nothing")
    assert capsys.readouterr().out == "nothing\n"


def test_json_keeps_its_script(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_json({"名": "鏡"})
    shown = capsys.readouterr().out
    assert "鏡" in shown
    assert json.loads(shown) == {"名": "鏡"}
