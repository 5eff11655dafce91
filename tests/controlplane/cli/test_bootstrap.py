from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from support.admin import kagami

TOKEN = "cluster-token-0123456789-0123456789"
TCP = ("--controlplane", "cp-0:9000", "--controlplane", "cp-1:9000")


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAGAMI_CLUSTER_TOKEN", "KAGAMI_CLUSTER_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


def bootstrap(*arguments: str) -> Result:
    return kagami("bootstrap", "--node", "envoy-1", *arguments)


def test_it_names_every_control_plane_the_node_and_the_admin_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGAMI_CLUSTER_TOKEN", TOKEN)
    done = bootstrap(*TCP)
    assert done.exit_code == 0, done.output
    written = yaml.safe_load(done.stdout)
    assert written["node"]["id"] == "envoy-1"
    assert written["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 9901}
    (cluster,) = written["static_resources"]["clusters"]
    hosts = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert [host["endpoint"]["address"]["socket_address"]["address"] for host in hosts] == ["cp-0", "cp-1"]
    (service,) = written["dynamic_resources"]["ads_config"]["grpc_services"]
    assert service["initial_metadata"] == [{"key": "authorization", "value": f"Bearer {TOKEN}"}]


def test_a_file_that_holds_the_token_is_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    monkeypatch.setenv("KAGAMI_CLUSTER_TOKEN_FILE", str(tmp_path / "token"))
    target = tmp_path / "envoy.yaml"
    target.write_text("old")
    target.chmod(0o644)
    done = bootstrap(*TCP, "--output", str(target))
    assert (done.exit_code, done.output) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert TOKEN in target.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"token", "envoy.yaml"}


def test_unix_sockets_need_no_token() -> None:
    done = bootstrap("--controlplane", "unix:/run/cp.sock", "--admin", "unix:/run/admin.sock")
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(done.stdout)["admin"]["address"] == {"pipe": {"path": "/run/admin.sock"}}


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        (TCP, "", "KAGAMI_CLUSTER_TOKEN is not set"),
        (TCP, "too-short-to-be-one", "KAGAMI_CLUSTER_TOKEN: must have at least 32 characters"),
        (("--controlplane", "cp"), TOKEN, "'cp': expected unix:/path or host:port"),
        (("--controlplane", "cp:1", "--controlplane", "unix:/a"), TOKEN, "cannot be mixed"),
        ((*TCP, "--admin", "0.0.0.0:9901"), TOKEN, "must be a loopback address"),
        ((*TCP, "--admin", "localhost:9901"), TOKEN, "must be a loopback address"),
        ((*TCP, "--output", "/no/such/folder/envoy.yaml"), TOKEN, "cannot write /no/such/folder/envoy.yaml"),
        ((*TCP, "--node", " "), TOKEN, "a name is needed"),
        ((), TOKEN, "Missing option '--controlplane'"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_explained(
    arguments: tuple[str, ...], token: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGAMI_CLUSTER_TOKEN", token)
    done = bootstrap(*arguments)
    assert done.exit_code != 0
    assert said in done.stderr
    assert not token or token not in done.output
