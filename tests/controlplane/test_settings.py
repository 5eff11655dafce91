from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.settings import Settings, SettingsError, cluster_token, parse
from controlplane.xds.gateway import Endpoint

PEPPER = "p" * 32
TOKEN = "cluster-token-" + "t" * 32
GOOD = {
    "KAGAMI_DATABASE_URL": "postgresql://kagami:hunter2@db/kagami",
    "KAGAMI_JOURNAL_DIR": "/var/lib/kagami/cp",
    "KAGAMI_KEY_PEPPER": PEPPER,
    "KAGAMI_DATAPLANE_ENDPOINTS": "dp-0:9100,dp-1:9100",
    "KAGAMI_CLUSTER_TOKEN": TOKEN,
}


def problems(**changes: str) -> str:
    with pytest.raises(SettingsError) as raised:
        parse(GOOD | changes)
    return str(raised.value)


def test_little_has_to_be_said() -> None:
    settings = parse(GOOD)
    assert (settings.node, settings.listen) == ("controlplane", "127.0.0.1:9000")
    assert settings.gateway.controlplane == (Endpoint("127.0.0.1", 9000),)
    assert settings.gateway.listen == Endpoint("0.0.0.0", 8080)
    assert settings.gateway.max_request_bytes == 10 * 1024 * 1024
    assert settings.journal_dir == Path("/var/lib/kagami/cp")
    assert (settings.log_level, settings.log_format, settings.admin_token) == ("info", "json", None)


def test_everything_can_be_said() -> None:
    settings = parse(
        GOOD
        | {
            "KAGAMI_NODE": "cp-1",
            "KAGAMI_LISTEN": "unix:/run/kagami/cp-1.sock",
            "KAGAMI_CONTROLPLANE_ENDPOINTS": "unix:/run/kagami/cp-0.sock, unix:/run/kagami/cp-1.sock",
            "KAGAMI_GATEWAY_LISTEN": "127.0.0.1:18080",
            "KAGAMI_MAX_REQUEST_BYTES": "2048",
            "KAGAMI_MAX_RESPONSE_BYTES": "65536",
            "KAGAMI_ADMIN_TOKEN": "t" * 16,
            "KAGAMI_BUSY_POLL_MS": "250",
            "KAGAMI_LOG_LEVEL": "debug",
            "KAGAMI_LOG_FORMAT": "console",
        }
    )
    assert (settings.node, settings.listen, settings.admin_token) == ("cp-1", "unix:/run/kagami/cp-1.sock", "t" * 16)
    assert len(settings.gateway.controlplane) == 2
    assert settings.busy_poll_ms == 250
    assert (settings.gateway.max_request_bytes, settings.gateway.max_response_bytes) == (2048, 65536)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        parse({"KAGAMI_LOG_LEVEL": "loud"})
    named = {line.split()[0].rstrip(":") for line in str(raised.value).splitlines()}
    assert named == {*GOOD, "KAGAMI_LOG_LEVEL"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAGAMI_DATABASE_URL", "mysql://u:hunter2@h/d"),
        ("KAGAMI_KEY_PEPPER", "hunter2"),
        ("KAGAMI_ADMIN_TOKEN", "hunter2"),
        ("KAGAMI_CLUSTER_TOKEN", "hunter2"),
        ("KAGAMI_CLUSTER_TOKEN", "hunter2 " * 8),
        ("KAGAMI_CLUSTER_TOKEN", "%ENVIRONMENT(hunter2)%" * 2),
        ("KAGAMI_LISTEN", "nowhere"),
        ("KAGAMI_GATEWAY_LISTEN", "unix:relative"),
        ("KAGAMI_DATAPLANE_ENDPOINTS", ","),
        ("KAGAMI_DATAPLANE_ENDPOINTS", "unix:/run/a.sock,host:1"),
        ("KAGAMI_MAX_REQUEST_BYTES", "10MiB"),
        ("KAGAMI_MAX_REQUEST_BYTES", "1"),
        ("KAGAMI_MAX_RESPONSE_BYTES", "-1"),
        ("KAGAMI_NODE", "a b"),
        ("KAGAMI_LOG_FORMAT", "xml"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_and_no_secret_repeated(name: str, value: str) -> None:
    message = problems(**{name: value})
    assert message.startswith(f"{name}: ")
    assert "hunter2" not in message


def from_file(path: Path) -> Settings:
    return parse(
        {name: text for name, text in GOOD.items() if name != "KAGAMI_KEY_PEPPER"}
        | {"KAGAMI_KEY_PEPPER_FILE": str(path)}
    )


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pepper"
    file.write_text(PEPPER + "\n")
    assert from_file(file).pepper == PEPPER.encode()


def test_a_secret_file_that_is_missing_empty_or_one_too_many_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for path in (tmp_path / "none", empty):
        with pytest.raises(SettingsError, match="KAGAMI_KEY_PEPPER"):
            from_file(path)
    assert "both set" in problems(KAGAMI_KEY_PEPPER_FILE=str(empty))


def test_settings_can_be_printed_without_telling_a_secret() -> None:
    shown = repr(parse(GOOD | {"KAGAMI_ADMIN_TOKEN": "hunter2-hunter2-hunter2"}))
    assert PEPPER not in shown
    assert "hunter2" not in shown
    assert TOKEN not in shown


UNIX = {"KAGAMI_LISTEN": "unix:/run/cp.sock", "KAGAMI_DATAPLANE_ENDPOINTS": "unix:/run/dp.sock"}


def test_the_cluster_token_is_optional_on_unix_sockets_only() -> None:
    assert parse(GOOD | UNIX | {"KAGAMI_CLUSTER_TOKEN": ""}).cluster_token is None
    for name in UNIX:
        exposed = GOOD | UNIX | {"KAGAMI_CLUSTER_TOKEN": "", name: "10.0.0.1:9000"}
        with pytest.raises(SettingsError, match="KAGAMI_CLUSTER_TOKEN"):
            parse(exposed)


def test_the_cluster_token_is_for_callers_and_for_what_envoy_is_told() -> None:
    for env in (GOOD, GOOD | UNIX):
        settings = parse(env)
        assert (settings.cluster_token, settings.gateway.token) == (TOKEN, TOKEN)


def test_the_cluster_token_can_be_read_alone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    assert cluster_token({}) is None
    assert cluster_token({"KAGAMI_CLUSTER_TOKEN_FILE": str(file)}) == TOKEN
    with pytest.raises(SettingsError, match="KAGAMI_CLUSTER_TOKEN"):
        cluster_token({"KAGAMI_CLUSTER_TOKEN": "short"})
