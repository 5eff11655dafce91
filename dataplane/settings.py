"""Settings of the data plane: read from the environment once, all errors reported together.

KAGAMI_CLUSTER_TOKEN is required where a part is reached over TCP: when KAGAMI_LISTEN or one of
KAGAMI_CONTROLPLANE_ENDPOINTS is host:port. On unix sockets it may be left out, and is checked when given.

KAGAMI_SPACY_PIPELINES adds spaCy pipelines for languages our own detector does not know: a comma list of
language=pipeline, where a pipeline is an installed package or a folder, such as en=en_core_web_sm,de=/models/de. They
find people, places and organisations; they are slow (a thousandth of our own speed) and scan every text.

Secrets are given as a value or, with `_FILE` added to the name, as the path of a file that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kagamirpc import token as cluster

LEAST_HASH_KEY_BYTES = 16
MOST_WORKERS = 256
_LEVELS = ("debug", "info", "warning", "error")
_FORMATS = ("json", "console")
_HOST_PORT = re.compile(r"(?P<host>.+):(?P<port>[0-9]{1,5})")
_PIPELINE = re.compile(r"(?P<language>[a-z]{2,3})=(?P<pipeline>[A-Za-z0-9_./-]{1,255})")
_NODE = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")


class SettingsError(Exception):
    """One line for every setting that is wrong, each naming what to fix."""


@dataclass(frozen=True, slots=True)
class Settings:
    """See the README's table of settings."""

    node: str
    listen: str
    """Address of worker 0: `unix:` path with `{worker}` in it, or `host:port`, where worker n listens on port + n."""
    workers: int
    controlplanes: tuple[str, ...]
    journal_dir: Path
    hash_key: bytes = field(repr=False)
    cluster_token: str | None = field(repr=False)
    """What Envoy presents to us and we to the control plane (`kagamirpc.token`)."""
    max_response_bytes: int
    drain_seconds: int
    """How long streams may go on after SIGTERM."""
    busy_poll_ms: int
    """How long a worker waits awake after a call began; keeps a core busy meanwhile (`kagamirpc.polling`)."""
    log_level: str
    log_format: str
    spacy_pipelines: Mapping[str, str] = field(default_factory=dict)
    """Language to spaCy package or folder."""

    def address(self, worker: int) -> str:
        """Where a worker listens."""
        if self.listen.startswith("unix:"):
            return self.listen.replace("{worker}", str(worker))
        host, _, port = self.listen.rpartition(":")
        return f"{host}:{int(port) + worker}"


def parse(env: Mapping[str, str], read: Callable[[Path], bytes] = Path.read_bytes) -> Settings:
    """Settings from environment variables. Raises SettingsError naming every variable that is wrong."""
    reader = _Reader(env, read)
    settings = Settings(
        node=reader.matching("KAGAMI_NODE", "dataplane", _NODE, "lower-case letters, digits, '.' and '-', 40 at most"),
        listen=reader.listen("KAGAMI_LISTEN"),
        workers=reader.number("KAGAMI_WORKERS", 1, 1, MOST_WORKERS),
        controlplanes=reader.addresses("KAGAMI_CONTROLPLANE_ENDPOINTS"),
        journal_dir=Path(reader.required("KAGAMI_JOURNAL_DIR")),
        hash_key=reader.secret("KAGAMI_HASH_KEY", LEAST_HASH_KEY_BYTES),
        cluster_token=reader.cluster_token(),
        max_response_bytes=reader.number("KAGAMI_MAX_RESPONSE_BYTES", 32 << 20, 1 << 16, 1 << 30),
        drain_seconds=reader.number("KAGAMI_DRAIN_SECONDS", 20, 0, 3600),
        busy_poll_ms=reader.number("KAGAMI_BUSY_POLL_MS", 0, 0, 60_000),
        log_level=reader.choice("KAGAMI_LOG_LEVEL", "info", _LEVELS),
        log_format=reader.choice("KAGAMI_LOG_FORMAT", "json", _FORMATS),
        spacy_pipelines=reader.pipelines("KAGAMI_SPACY_PIPELINES"),
    )
    if reader.problems:
        raise SettingsError("\n".join(reader.problems))
    return settings


class _Reader:
    """Takes one variable after the other, noting what is wrong instead of stopping."""

    def __init__(self, env: Mapping[str, str], read: Callable[[Path], bytes]) -> None:
        self._env, self._read = env, read
        self.problems: list[str] = []

    def required(self, name: str) -> str:
        value = self._env.get(name, "").strip()
        if not value:
            self.problems.append(f"{name}: must be set")
        return value

    def matching(self, name: str, default: str, pattern: re.Pattern[str], expected: str) -> str:
        value = self._env.get(name) or default
        if pattern.fullmatch(value) is None:
            self.problems.append(f"{name}: must consist of {expected}")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self._env.get(name) or str(default)
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            self.problems.append(f"{name}: must be a whole number from {least} to {most}, not {text!r}")
            return default
        return int(text)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = (self._env.get(name) or default).lower()
        if value not in choices:
            self.problems.append(f"{name}: must be one of {', '.join(choices)}, not {value!r}")
        return value

    def listen(self, name: str) -> str:
        value = self.required(name)
        if value.startswith("unix:"):
            if "{worker}" not in value:
                self.problems.append(f"{name}: a unix: path must hold {{worker}}, for every worker has its own socket")
        elif value and not _is_host_port(value):
            self.problems.append(f"{name}: must be unix:/path/dp-{{worker}}.sock or host:port, not {value!r}")
        return value

    def addresses(self, name: str) -> tuple[str, ...]:
        text = self.required(name)
        values = tuple(part.strip() for part in text.split(",") if part.strip())
        if text and not values:
            self.problems.append(f"{name}: must list one address at least")
        for value in values:
            if not value.startswith("unix:") and not _is_host_port(value):
                self.problems.append(f"{name}: must list unix:/path or host:port, not {value!r}")
        return values

    def pipelines(self, name: str) -> dict[str, str]:
        pipelines: dict[str, str] = {}
        for part in filter(None, map(str.strip, self._env.get(name, "").split(","))):
            match = _PIPELINE.fullmatch(part)
            if match is None:
                self.problems.append(f"{name}: must list language=package or language=/folder, not {part!r}")
            elif match["language"] in pipelines:
                self.problems.append(f"{name}: {match['language']} has a pipeline already")
            else:
                pipelines[match["language"]] = match["pipeline"]
        return pipelines

    def cluster_token(self) -> str | None:
        name = "KAGAMI_CLUSTER_TOKEN"
        value = self._env.get(name, "").strip().encode() or self._secret_file(f"{name}_FILE")
        addresses = (self._env.get("KAGAMI_LISTEN", ""), *self._env.get("KAGAMI_CONTROLPLANE_ENDPOINTS", "").split(","))
        if value:
            return self._parsed_token(name, value)
        if any(_is_host_port(address.strip()) for address in addresses if not address.strip().startswith("unix:")):
            self.problems.append(f"{name}: set it, or {name}_FILE, for a part is reached over TCP")
        elif self._env.get(f"{name}_FILE"):
            self.problems.append(f"{name}_FILE: the file is empty")
        return None

    def _parsed_token(self, name: str, value: bytes) -> str | None:
        try:
            return cluster.parse(value.decode("ascii", "replace"))
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return None

    def secret(self, name: str, least: int) -> bytes:
        value = self._env.get(name, "").encode() or self._secret_file(f"{name}_FILE")
        if not value:
            self.problems.append(f"{name}: set it, or {name}_FILE to the path of a file that holds it")
        elif len(value) < least:
            self.problems.append(f"{name}: must have {least} bytes at least")
        return value

    def _secret_file(self, name: str) -> bytes:
        path = self._env.get(name)
        if not path:
            return b""
        try:
            return self._read(Path(path)).strip()
        except OSError as error:
            self.problems.append(f"{name}: cannot read {path}: {error.strerror}")
            return b""


def _is_host_port(value: str) -> bool:
    match = _HOST_PORT.fullmatch(value)
    return match is not None and 0 < int(match["port"]) < 65_536
