from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.admin import KnownAdmin, kagami


def test_tail_shows_one_line_per_request(admin: KnownAdmin) -> None:
    done = kagami("audit", "tail", "-n", "5", "--tenant", "acme")
    assert done.exit_code == 0, done.output
    for text in ("r1", "completed", "sim", "3+4", "$0.000012"):
        assert text in done.stdout
    assert (admin.queries[0].limit, admin.queries[0].tenant) == (5, "acme")


def test_tail_gives_everything_in_json(admin: KnownAdmin) -> None:
    record = json.loads(kagami("audit", "tail", "--json").stdout)["records"][0]
    assert record["at"] == "2023-11-14T22:13:20.000+00:00"
    assert record["attempts"][0]["request_pii"] == {"PERSON": 2}


def test_show_gives_every_fact_of_one_request(admin: KnownAdmin) -> None:
    assert "attempt 1: provider" in kagami("audit", "show", "r1").stdout
    done = kagami("audit", "show", "unknown")
    assert (done.exit_code, done.stderr) == (1, "Error: no request unknown in the audit trail\n")


def test_the_running_trail_verifies(admin: KnownAdmin) -> None:
    done = kagami("audit", "verify")
    assert done.exit_code == 0, done.output
    assert "verified: 3 entries in 1 chains" in done.stdout


@pytest.fixture
def exported(admin: KnownAdmin, tmp_path: Path) -> Path:
    path = tmp_path / "trail.jsonl"
    done = kagami("audit", "export", "--output", str(path))
    assert (done.exit_code, done.stderr) == (0, "3 entries exported\n")
    return path


def test_an_exported_trail_verifies_and_names_a_stamp(exported: Path) -> None:
    link = json.loads(exported.read_text().splitlines()[1])["link"]
    done = kagami("audit", "verify", "--file", str(exported), "--stamp", f"link={link}")
    assert done.exit_code == 0, done.output
    assert "the stamp is entry 2 of w, request r1" in done.stdout
    done = kagami("audit", "verify", "--file", str(exported), "--stamp", "00" * 32)
    assert done.exit_code == 1
    assert "no entry has the link" in done.stderr


def test_a_trail_with_a_line_dropped_fails_with_the_place(exported: Path) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    exported.write_text(lines[0] + lines[2])
    done = kagami("audit", "verify", "--file", str(exported), "--json")
    assert done.exit_code == 1
    assert "writer w, entry 2: missing" in done.stderr
    assert json.loads(done.stdout)["verified"] is False


def test_a_trail_cut_at_its_end_fails_against_a_note(exported: Path, tmp_path: Path) -> None:
    note = tmp_path / "heads.json"
    assert kagami("audit", "verify", "--file", str(exported), "--note", str(note)).exit_code == 0
    assert kagami("audit", "verify", "--file", str(exported), "--against", str(note)).exit_code == 0
    exported.write_text("".join(exported.read_text().splitlines(keepends=True)[:2]))
    done = kagami("audit", "verify", "--file", str(exported), "--against", str(note))
    assert done.exit_code == 1
    assert "entry 3 was there before" in done.stderr


def test_a_file_that_is_no_trail_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello\n")
    done = kagami("audit", "verify", "--file", str(tmp_path / "x"))
    assert done.exit_code == 1
    assert "x:1: not a line of an audit trail" in done.stderr
