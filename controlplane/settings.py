"""The environment → settings, once, with every mistake named at the same time.

KAGAMI_CLUSTER_TOKEN is required where a part is reached over TCP: when KAGAMI_LISTEN or one of
KAGAMI_DATAPLANE_ENDPOINTS is host:port. On unix sockets it may be left out, and is checked when given.

Secrets may be given directly or, better, as the path of a file (`…_FILE`); they never appear in an error or
in a `repr`. Nothing else in this plane reads the environment, except xDS for providers' `env:` credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kagamirpc import token as cluster

from controlplane.domain.keys import MIN_PEPPER_BYTES
from controlplane.store.postgres import sqlalchemy_url
from controlplane.xds.gateway import Endpoint, GatewaySettings, discovery, endpoints

_CLUSTER_TOKEN: Final = "KAGAMI_CLUSTER_TOKEN"  # noqa: S105 - the name of the variable
_MIN_TOKEN_CHARS: Final = 16
_LEVELS: Final = ("debug", "info", "warning", "error")
_FORMATS: Final = ("json", "console")


class SettingsError(ValueError):
    """Every setting that is missing or wrong, one per line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `python -m controlplane` needs to know."""

    node: str
    """Name of this replica."""
    listen: str
    """`unix:/path` or `host:port` of the gRPC server."""
    authz_listen: str
    """Where Envoy's checks are served, on a transport of their own: `<path>.authz`, or the next port."""
    journal_dir: Path
    gateway: GatewaySettings
    database_url: str = field(repr=False)
    pepper: bytes = field(repr=False)
    admin_token: str | None = field(default=None, repr=False)
    cluster_token: str | None = field(default=None, repr=False)
    """What the other parts present (`kagamirpc.token`); without it only unix sockets are spoken."""
    busy_poll_ms: int = 0
    """How long it waits awake after a check began; keeps a core busy meanwhile (`kagamirpc.polling`)."""
    log_level: str = "info"
    log_format: str = "json"


def parse(env: Mapping[str, str]) -> Settings:
    """Reads the environment and the secret files it names. Raises SettingsError."""
    reader = _Reader(env)
    listen = reader.read("KAGAMI_LISTEN", Endpoint.parse, "127.0.0.1:9000")
    settings = {
        "node": reader.read("KAGAMI_NODE", _node, "controlplane"),
        "listen": env.get("KAGAMI_LISTEN") or "127.0.0.1:9000",
        "journal_dir": reader.read("KAGAMI_JOURNAL_DIR", Path),
        "database_url": reader.secret("KAGAMI_DATABASE_URL", _database_url),
        "pepper": reader.secret("KAGAMI_KEY_PEPPER", _pepper),
        "admin_token": reader.secret("KAGAMI_ADMIN_TOKEN", _token, required=False),
        "busy_poll_ms": reader.read("KAGAMI_BUSY_POLL_MS", _from(0, 60_000, "milliseconds"), "0"),
        "log_level": reader.read("KAGAMI_LOG_LEVEL", _one_of(_LEVELS), "info"),
        "log_format": reader.read("KAGAMI_LOG_FORMAT", _one_of(_FORMATS), "json"),
    }
    gateway = {
        "listen": reader.read("KAGAMI_GATEWAY_LISTEN", _address, "0.0.0.0:8080"),
        "controlplane": reader.read("KAGAMI_CONTROLPLANE_ENDPOINTS", endpoints, None) or (listen,),
        "dataplane": reader.read("KAGAMI_DATAPLANE_ENDPOINTS", endpoints),
        "max_request_bytes": reader.read("KAGAMI_MAX_REQUEST_BYTES", _from(1 << 10, 64 << 20, "bytes"), str(10 << 20)),
        # The data plane has the same setting: Envoy must hold what the data plane is to see whole.
        "max_response_bytes": reader.read("KAGAMI_MAX_RESPONSE_BYTES", _from(1 << 16, 1 << 30, "bytes"), str(32 << 20)),
    }
    exposed = [endpoint for endpoint in (listen, *(gateway["dataplane"] or ())) if endpoint and not endpoint.path]
    gateway["token"] = settings["cluster_token"] = reader.secret(_CLUSTER_TOKEN, cluster.parse, required=bool(exposed))
    if reader.problems:
        raise SettingsError("\n".join(reader.problems))
    gateway["authz"] = tuple(endpoint.beside() for endpoint in gateway["controlplane"])
    return Settings(gateway=GatewaySettings(**gateway), authz_listen=str(listen.beside()), **settings)


def cluster_token(env: Mapping[str, str]) -> str | None:
    """The cluster token alone, for commands that speak as Envoy does. Raises SettingsError."""
    reader = _Reader(env)
    token: str | None = reader.secret(_CLUSTER_TOKEN, cluster.parse, required=False)
    if reader.problems:
        raise SettingsError("\n".join(reader.problems))
    return token


class _Reader:
    """Takes values out of the environment and notes what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def read(self, name: str, convert: Callable[[str], Any], *default: str | None) -> Any:
        """The value of `name`; without a default it is required; the default None stands for absence."""
        text = self._env.get(name, "").strip()
        if not text:
            if not default:
                self.problems.append(f"{name} is not set")
                return None
            if default[0] is None:
                return None
            text = default[0]
        return self._converted(name, convert, text)

    def secret(self, name: str, convert: Callable[[str], Any], *, required: bool = True) -> Any:
        """The value of `name`, or of the file that `name`_FILE names."""
        text, file = self._env.get(name, "").strip(), self._env.get(f"{name}_FILE", "").strip()
        if text and file:
            self.problems.append(f"{name} and {name}_FILE are both set: keep one")
            return None
        if file:
            try:
                text = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self.problems.append(f"{name}_FILE: cannot be read ({type(error).__name__})")
                return None
        if not text:
            if required or file:
                self.problems.append(f"{name} (or {name}_FILE) is {'empty' if file else 'not set'}")
            return None
        return self._converted(name, convert, text)

    def _converted(self, name: str, convert: Callable[[str], Any], text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return None


def _node(text: str) -> str:
    if not 0 < len(text) <= 63 or not all(char.isascii() and (char.isalnum() or char in "-_.") for char in text):
        raise ValueError("must be 1 to 63 letters, digits, '-', '_' or '.'")
    return text


def _database_url(text: str) -> str:
    sqlalchemy_url(text)
    return text


def _pepper(text: str) -> bytes:
    pepper = text.encode()
    if len(pepper) < MIN_PEPPER_BYTES:
        raise ValueError(f"must have at least {MIN_PEPPER_BYTES} bytes: try `openssl rand -hex 32`")
    return pepper


def _token(text: str) -> str:
    if len(text) < _MIN_TOKEN_CHARS or not text.isascii():
        raise ValueError(f"must have at least {_MIN_TOKEN_CHARS} ASCII characters")
    return text


def _address(text: str) -> Endpoint:
    endpoint = Endpoint.parse(text)
    discovery((endpoint,))
    return endpoint


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return text

    return convert


def _from(least: int, most: int, unit: str) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"must be a number of {unit} from {least} to {most}")
        return int(text)

    return convert
