"""What Envoy's configuration depends on besides the snapshot: addresses, limits and trust anchors.

Values only; whoever reads the environment builds them. Everything here is equal on every replica of one deployment, so
that two control planes serve equal configurations.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

DEFAULT_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Debian's and the official Envoy image's bundle of system CAs, read on Envoy's machine."""


class EndpointError(ValueError):
    """An address is not `unix:/path` or `host:port`, or kinds that one cluster cannot mix are mixed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where something listens: a unix socket (`path`) or a host and port."""

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `unix:/path` or `host:port` (`[::1]:80` for IPv6). Raises EndpointError naming the text."""
        if text.startswith("unix:"):
            path = text.removeprefix("unix:")
            if not path.startswith("/"):
                raise EndpointError(f"{text!r}: a unix socket needs an absolute path, as in unix:/run/kagami.sock")
            return cls(path=path)
        host, separator, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not separator or not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise EndpointError(f"{text!r}: expected unix:/path or host:port")
        return cls(host=host, port=int(port))

    def beside(self) -> Self:
        """Where the same process serves Envoy's checks: `<path>.authz`, or the next port."""
        if self.path:
            return type(self)(path=f"{self.path}.authz")
        return type(self)(host=self.host, port=self.port + 1)

    def __str__(self) -> str:
        """As `parse` reads it."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def kind(self) -> str:
        """`pipe`, `address` (a literal IP) or `name` (needs DNS)."""
        if self.path:
            return "pipe"
        return "address" if is_address(self.host) else "name"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Constants of one deployment. Sizes in bytes, times in milliseconds."""

    listen: Endpoint
    controlplane: tuple[Endpoint, ...]
    dataplane: tuple[Endpoint, ...]
    authz: tuple[Endpoint, ...] = ()
    """Where ext_authz is served; empty: where the control planes are."""
    max_request_bytes: int = 10 * 1024 * 1024
    max_response_bytes: int = 32 * 1024 * 1024
    """Largest answer that is not streamed: the data plane sees it whole before any of it is sent."""
    authz_timeout_ms: int = 5_000
    authz_try_ms: int = 2_000
    """After which a silent control plane is left for another one."""
    message_timeout_ms: int = 5_000
    """How long the data plane may be silent on one ext_proc message before it asks for more time."""
    max_message_timeout_ms: int = 60_000
    ca_bundle: str = DEFAULT_CA_BUNDLE
    token: str | None = field(default=None, repr=False)
    """What Envoy presents to ext_authz and ext_proc (`kagamirpc.token`)."""


def endpoints(text: str) -> tuple[Endpoint, ...]:
    """Read a comma-separated list. Raises EndpointError; an empty list is an error too."""
    found = tuple(Endpoint.parse(part.strip()) for part in text.split(",") if part.strip())
    discovery(found)
    return found


def discovery(found: Iterable[Endpoint]) -> str:
    """`STATIC` or `STRICT_DNS`: Envoy resolves names in one kind of cluster and takes sockets in the other."""
    kinds = {endpoint.kind for endpoint in found}
    if not kinds:
        raise EndpointError("no endpoint given: expected a comma-separated list of unix:/path or host:port")
    if "name" not in kinds:
        return "STATIC"
    if "pipe" in kinds:
        raise EndpointError("unix sockets and host names cannot be mixed in one list of endpoints")
    return "STRICT_DNS"


def is_address(host: str) -> bool:
    """Whether a host is a literal IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
