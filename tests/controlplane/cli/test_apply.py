from __future__ import annotations

import json
from pathlib import Path

import grpc
import pytest
from support.admin import KnownAdmin, kagami

TEXT = "tenants: [{name: acme, policy: p}]\nkeys: [{tenant: acme, name: web}]\n"


def test_a_file_is_applied_and_the_new_key_shown_once(admin: KnownAdmin, tmp_path: Path) -> None:
    (tmp_path / "k.yaml").write_text(TEXT)
    done = kagami("apply", "-f", str(tmp_path / "k.yaml"), "--prune")
    assert done.exit_code == 0, done.output
    assert "+ tenant acme" in done.stdout
    assert "key acme/web: sk-new" in done.stdout
    assert admin.applied[0].prune
    assert not admin.applied[0].dry_run


def test_several_files_are_one_manifest(admin: KnownAdmin, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TEXT)
    done = kagami("apply", "-f", str(tmp_path / "a.yaml"), "-f", "-", "--dry-run", stdin="routes: [{model: m}]")
    assert done.exit_code == 0, done.output
    request = admin.applied[0]
    assert (request.manifest.tenants[0].name, request.manifest.routes[0].model) == ("acme", "m")
    assert request.dry_run


def test_json_says_everything(admin: KnownAdmin) -> None:
    done = kagami("apply", "-f", "-", "--json", stdin=TEXT)
    assert json.loads(done.stdout) == {
        "changes": [{"verb": "create", "kind": "tenant", "name": "acme"}],
        "issued": [{"tenant": "acme", "name": "web", "key_id": "k1", "secret": "sk-new"}],
        "revision": "7",
        "dry_run": False,
    }


def test_a_bad_file_fails_before_anything_is_sent(admin: KnownAdmin) -> None:
    done = kagami("apply", "-f", "-", stdin="tenants: [{nme: a}]")
    assert done.exit_code == 1
    assert "tenants[0]: has no field 'nme'" in done.stderr
    assert admin.applied == []


def test_what_the_server_refuses_is_said_in_its_words(admin: KnownAdmin) -> None:
    admin.refusal = (grpc.StatusCode.INVALID_ARGUMENT, "tenants[0] (acme).policy: no such policy")
    done = kagami("apply", "-f", "-", stdin=TEXT)
    assert (done.exit_code, done.stderr) == (1, "Error: tenants[0] (acme).policy: no such policy\n")


def test_a_missing_file_is_wrong_usage() -> None:
    assert kagami("apply", "-f", "/nonexistent.yaml").exit_code == 2
    assert kagami("apply").exit_code == 2


def test_a_token_is_sent_when_there_is_one(admin: KnownAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGAMI_ADMIN_TOKEN", "t0ken")
    assert kagami("apply", "-f", "-", stdin=TEXT).exit_code == 0
    assert admin.tokens == ["Bearer t0ken"]
