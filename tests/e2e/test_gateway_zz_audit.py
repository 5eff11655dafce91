"""Last of the end-to-end tests of a session: the audit trail of everything that went before."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path

import pytest
from support.stack import Gateway, kagami

from controlplane.cli import trail

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PLANTED = ("佐藤美咲", "090-8765-4321", "misaki.sato", "2468 1357 9021", "高橋健一", "03-1234-5678", "kenichi")


@pytest.fixture(scope="module")
def exported(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    route = gateway.route()
    with gateway.stack.http() as http:
        for _ in range(3):
            reply = http.post("/chat/completions", json=route.body("佐藤美咲です。090-8765-4321へ電話をください。"))
            gateway.stack.record(reply.headers["x-kagami-request-id"])
    path = tmp_path_factory.mktemp("trail") / "trail.jsonl"
    done = kagami("audit", "export", "--output", str(path), "--state", str(gateway.stack.state))
    assert done.returncode == 0, done.stderr
    return path


def verify(path: Path) -> tuple[int, str]:
    done = kagami("audit", "verify", "--file", str(path))
    return done.returncode, done.stderr


def test_every_chain_of_the_session_verifies(exported: Path) -> None:
    assert verify(exported) == (0, "")


def test_every_attempt_was_opened_and_closed_once_and_ended_finally_once(exported: Path) -> None:
    entries = [json.loads(line)["decoded"] for line in exported.read_text().splitlines()]
    kinds = {kind: Counter(e["request_id"] for e in entries if kind in e) for kind in ("admitted", "denied", "opened")}
    assert set(kinds["admitted"].values()) == {1}
    assert set(kinds["denied"].values()) <= {1}
    assert not set(kinds["admitted"]) & set(kinds["denied"])
    assert set(kinds["opened"]) <= set(kinds["admitted"])
    opened = Counter((e["request_id"], e["opened"]["attempt"]) for e in entries if "opened" in e)
    closed = Counter((e["request_id"], e["closed"]["attempt"]) for e in entries if "closed" in e)
    assert set(opened.values()) == {1}
    assert set(opened) <= set(closed)
    assert set(closed.values()) == {1}
    final = Counter(e["request_id"] for e in entries if e.get("closed", {}).get("final"))
    assert set(final.values()) == {1}


def test_nothing_personal_is_in_the_trail_or_in_any_log(gateway: Gateway, exported: Path) -> None:
    texts = {path.name: path.read_text(errors="replace") for path in (gateway.stack.state / "logs").iterdir()}
    texts["trail"] = exported.read_text()
    found = [(name, value) for name, text in texts.items() for value in PLANTED if value in text]
    assert found == []
    secrets = ("sk-kagami-test", "sk-provider-0")
    assert [(name, value) for name, text in texts.items() for value in secrets if value in text] == []


@pytest.mark.parametrize("change", ["alter", "drop", "swap", "swap writers"])
def test_a_changed_trail_is_found_out(exported: Path, tmp_path: Path, change: str) -> None:
    lines = exported.read_text().splitlines()
    writers = Counter(json.loads(line)["writer"] for line in lines)
    writer = writers.most_common(1)[0][0]
    first, second = [n for n, line in enumerate(lines) if json.loads(line)["writer"] == writer][1:3]
    if change == "alter":
        frame = json.loads(lines[first])
        entry = bytearray(base64.b64decode(frame["entry"]))
        entry[len(entry) // 2] ^= 1
        frame["entry"] = base64.b64encode(entry).decode()
        lines[first] = json.dumps(frame | {"decoded": None})
    elif change == "drop":
        del lines[first]
    elif change == "swap":
        lines[first], lines[second] = lines[second], lines[first]
    else:
        lines[first] = json.dumps(json.loads(lines[first]) | {"writer": "someone-else"})
    changed = tmp_path / "changed.jsonl"
    changed.write_text("\n".join(lines) + "\n")
    code, said = verify(changed)
    assert code == 1
    assert "does not verify" in said


def test_the_trail_is_made_of_frames_the_verifier_knows(exported: Path) -> None:
    verifier = trail.Verifier()
    with exported.open() as file:
        for written in trail.of_lines(file, "trail"):
            verifier.take(written)
    # Two control planes and two workers, each with a chain of its own.
    assert len(verifier.heads) >= 3
