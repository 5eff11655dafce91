from __future__ import annotations

from pathlib import Path

import pytest

from dataplane.settings import SettingsError, parse

TOKEN = "cluster-token-" + "t" * 32
GOOD = {
    "KAGAMI_LISTEN": "unix:/run/dp-{worker}.sock",
    "KAGAMI_CONTROLPLANE_ENDPOINTS": "unix:/run/cp.sock, cp-1:9000",
    "KAGAMI_JOURNAL_DIR": "/var/journal",
    "KAGAMI_HASH_KEY": "k" * 32,
    "KAGAMI_CLUSTER_TOKEN": TOKEN,
}


def problems(**env):
    with pytest.raises(SettingsError) as caught:
        parse({**GOOD, **env})
    return str(caught.value).splitlines()


def test_defaults_and_lists():
    settings = parse(GOOD)
    assert (settings.workers, settings.node, settings.max_response_bytes) == (1, "dataplane", 32 << 20)
    assert settings.controlplanes == ("unix:/run/cp.sock", "cp-1:9000")
    assert settings.journal_dir == Path("/var/journal")


def test_pipelines_are_listed_by_language():
    assert parse(GOOD).spacy_pipelines == {}
    listed = parse({**GOOD, "KAGAMI_SPACY_PIPELINES": "en=en_core_web_sm, de=/models/de-1.0,"})
    assert listed.spacy_pipelines == {"en": "en_core_web_sm", "de": "/models/de-1.0"}


def test_each_worker_has_its_own_address():
    assert parse(GOOD).address(3) == "unix:/run/dp-3.sock"
    assert parse({**GOOD, "KAGAMI_LISTEN": "0.0.0.0:7000"}).address(3) == "0.0.0.0:7003"


def test_every_problem_is_told_at_once_and_names_its_variable():
    with pytest.raises(SettingsError) as caught:
        parse({"KAGAMI_WORKERS": "many"})
    named = [line.split(":")[0] for line in str(caught.value).splitlines()]
    assert named == [
        "KAGAMI_LISTEN",
        "KAGAMI_WORKERS",
        "KAGAMI_CONTROLPLANE_ENDPOINTS",
        "KAGAMI_JOURNAL_DIR",
        "KAGAMI_HASH_KEY",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAGAMI_LISTEN", "unix:/run/dp.sock"),
        ("KAGAMI_LISTEN", "7000"),
        ("KAGAMI_LISTEN", "host:99999"),
        ("KAGAMI_WORKERS", "0"),
        ("KAGAMI_WORKERS", "1.5"),
        ("KAGAMI_NODE", "Data Plane"),
        ("KAGAMI_CONTROLPLANE_ENDPOINTS", "cp"),
        ("KAGAMI_CONTROLPLANE_ENDPOINTS", ","),
        ("KAGAMI_HASH_KEY", "short"),
        ("KAGAMI_CLUSTER_TOKEN", "short"),
        ("KAGAMI_CLUSTER_TOKEN", "spaces do not go into a header " * 2),
        ("KAGAMI_CLUSTER_TOKEN", "トークン" * 16),
        ("KAGAMI_MAX_RESPONSE_BYTES", "12"),
        ("KAGAMI_LOG_LEVEL", "loud"),
        ("KAGAMI_LOG_FORMAT", "xml"),
        ("KAGAMI_DRAIN_SECONDS", "-1"),
        ("KAGAMI_BUSY_POLL_MS", "60001"),
        ("KAGAMI_SPACY_PIPELINES", "en_core_web_sm"),
        ("KAGAMI_SPACY_PIPELINES", "en=a b"),
        ("KAGAMI_SPACY_PIPELINES", "en=one,en=two"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    assert [line.split(":")[0] for line in problems(**{name: value})] == [name]


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "key"
    file.write_bytes(b"x" * 32 + b"\n")
    assert parse({**GOOD, "KAGAMI_HASH_KEY": "", "KAGAMI_HASH_KEY_FILE": str(file)}).hash_key == b"x" * 32


def test_a_secret_file_that_cannot_be_read_is_named_and_no_secret_is_shown(tmp_path):
    found = problems(KAGAMI_HASH_KEY="", KAGAMI_HASH_KEY_FILE=str(tmp_path / "missing"))
    assert "KAGAMI_HASH_KEY_FILE" in found[0]
    assert "No such file" in found[0]
    assert "topsecret" not in "\n".join(problems(KAGAMI_HASH_KEY="topsecret"))


UNIX = {
    "KAGAMI_LISTEN": "unix:/run/dp-{worker}:9.sock",
    "KAGAMI_CONTROLPLANE_ENDPOINTS": "unix:/run/cp:1",
    "KAGAMI_CLUSTER_TOKEN": "",
}


def test_the_cluster_token_is_optional_on_unix_sockets_only():
    assert parse(GOOD).cluster_token == TOKEN
    assert parse({**GOOD, **UNIX}).cluster_token is None
    for name in ("KAGAMI_LISTEN", "KAGAMI_CONTROLPLANE_ENDPOINTS"):
        (problem,) = problems(**{**UNIX, name: "10.0.0.1:9100"})
        assert problem.startswith("KAGAMI_CLUSTER_TOKEN: set it")


def test_the_cluster_token_may_come_from_a_file_that_is_not_empty(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    named = {**UNIX, "KAGAMI_CLUSTER_TOKEN_FILE": str(file)}
    assert parse({**GOOD, **named}).cluster_token == TOKEN
    file.write_text("")
    assert problems(**named) == ["KAGAMI_CLUSTER_TOKEN_FILE: the file is empty"]


def test_settings_can_be_printed_without_telling_a_secret():
    shown = repr(parse(GOOD))
    assert TOKEN not in shown
    assert "k" * 32 not in shown
