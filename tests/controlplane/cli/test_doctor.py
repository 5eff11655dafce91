from __future__ import annotations

import json
from pathlib import Path

from support.admin import kagami


def test_a_fit_machine_without_a_gateway_is_fine(tmp_path: Path) -> None:
    done = kagami("doctor", "--state", str(tmp_path), "--json")
    findings = json.loads(done.stdout)
    assert done.exit_code == 0, findings
    assert {finding["part"] for finding in findings} == {"python", "postgresql", "envoy", "disk", "gateway"}


def test_parts_that_do_not_answer_are_named(tmp_path: Path) -> None:
    said = {
        "controlplanes": [f"unix:{tmp_path}/cp"], "dataplanes": [f"unix:{tmp_path}/dp"],
        "envoy_admin": f"unix:{tmp_path}/admin", "gateway": "http://127.0.0.1:1",
    }  # fmt: skip
    (tmp_path / "endpoints.json").write_text(json.dumps(said))
    done = kagami("doctor", "--state", str(tmp_path))
    assert done.exit_code == 1
    assert done.stdout.count("WRONG") == 4
