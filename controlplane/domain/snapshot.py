"""The configuration every decision is made from: one immutable value per revision.

Strategy: the store reads all tables in one transaction and builds a `Snapshot`; authz, xDS and the policy
feed hold a reference to the newest one and never see half a change. Look-ups a request needs are
dictionaries, so that `decide` costs microseconds however many tenants there are. Nothing here holds a
secret: keys are known by digest, providers' credentials by reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kagamipb.admin.v1.admin_pb2 import Unit, Window
from kagamipb.exchange.v1.exchange_pb2 import Dialect
from kagamipb.policy.v1.policy_pb2 import RedactionPolicy


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation unit with its own keys, budgets and redaction policy."""

    name: str
    policy: str
    """Name of a redaction policy in the same snapshot."""
    time_zone: str = "UTC"
    disabled: bool = False
    display_name: str = ""
    webhook_url: str = ""
    """Where alerts go; empty = nowhere."""
    webhook_secret: str = ""
    """Reference of the secret that signs them: `env:NAME` or `file:/path`."""
    unmetered: bool = False
    """Requests pass, and are settled later, while no quota can be asked."""


@dataclass(frozen=True, slots=True)
class VirtualKey:
    """What a client authenticates with; the secret itself is known to the client alone."""

    key_id: str
    """Public identifier, safe in logs and audit records."""
    tenant: str
    name: str
    digest: bytes
    """HMAC-SHA256(pepper, secret), 32 bytes."""
    models: frozenset[str] = frozenset({"*"})
    disabled: bool = False
    expires_at: int = 0
    """Unix seconds, 0 = never."""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a hop leads. `key_ref` is `env:NAME`, `file:/path` or empty."""

    name: str
    dialect: Dialect
    tls: bool
    host: str
    port: int
    base_path: str
    key_ref: str = ""
    ca_file: str = ""
    sni: str = ""
    first_byte_timeout_ms: int = 60_000
    idle_timeout_ms: int = 30_000
    http2: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """Pico-US-dollars per token (1 USD per million tokens = 1 000 000)."""

    version: str
    input: int
    cached_input: int
    output: int
    reasoning: int
    request: int = 0
    since: int = 0
    """Unix seconds from which on requests are charged this."""


@dataclass(frozen=True, slots=True)
class Target:
    """One provider that may answer for a route, with its own name for the model."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Route:
    """The model a client asks for and, in order, who may answer."""

    model: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Quota:
    """A cap. Empty scope fields match anything; a request must fit every quota that matches it."""

    quota_id: str
    name: str
    tenant: str
    unit: Unit
    window: Window
    cap: int
    key: str = ""
    model: str = ""
    user: str = ""
    provider: str = ""
    team: str = ""
    alert_at: tuple[int, ...] = ()
    """Percentages of the cap, ascending, that raise an alert."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a replica knows at one revision."""

    revision: str
    """Changes whenever anything in the snapshot does; equal on every replica for equal content."""
    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    keys: Mapping[bytes, VirtualKey] = field(default_factory=dict)
    """By digest."""
    providers: Mapping[str, Provider] = field(default_factory=dict)
    prices: Mapping[tuple[str, str], tuple[Price, ...]] = field(default_factory=dict)
    """By (provider, provider's model name), in the order they come into force."""
    routes: Mapping[str, Route] = field(default_factory=dict)
    policies: Mapping[str, RedactionPolicy] = field(default_factory=dict)
    quotas: Mapping[str, tuple[Quota, ...]] = field(default_factory=dict)
    """By tenant."""
