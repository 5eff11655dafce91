"""The configuration tables: what an administrator declares and every replica reads.

Strategy: one table per kind of object, natural names as keys, amounts as integers. Statement-level triggers
(migration 0001) raise the table's row in `config_revisions` and notify the channel `kagami_config` inside
the writing transaction, whoever writes: a replica can never read a change under an old revision, and need
only read again what changed. Quota counters and audit tables live beside this module, with the code that
owns them. No secret is stored: keys by keyed digest, provider credentials by reference.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from controlplane.store.metadata import metadata

NOTIFY_CHANNEL: Final = "kagami_config"

# Checked at commit: within one change references may pass from one object to another, and keys swap their secrets.
_AT_COMMIT: Final[dict[str, Any]] = {"deferrable": True, "initially": "DEFERRED"}

config_revisions = Table(
    "config_revisions",
    metadata,
    # Name of one of the tables below.
    Column("kind", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, nullable=False),
    # kagamipb.policy.v1.RedactionPolicy, serialised deterministically.
    Column("body", LargeBinary, nullable=False),
)

tenants = Table(
    "tenants",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("policy", Text, ForeignKey("policies.name", **_AT_COMMIT), nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    # Where alerts go, and the reference of the secret that signs them; empty = nowhere.
    Column("webhook_url", Text, nullable=False, server_default=""),
    Column("webhook_secret", Text, nullable=False, server_default=""),
    # Requests pass while no quota can be asked.
    Column("unmetered", Boolean, nullable=False, server_default="false"),
)

virtual_keys = Table(
    "virtual_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("tenant", Text, ForeignKey("tenants.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    # HMAC-SHA256(pepper, secret).
    Column("digest", LargeBinary, nullable=False),
    Column("models", ARRAY(Text), nullable=False),
    Column("disabled", Boolean, nullable=False),
    # Unix seconds, 0 = never.
    Column("expires_at", BigInteger, nullable=False),
    # Empty = none.
    Column("team", Text, nullable=False, server_default=""),
    UniqueConstraint("tenant", "name"),
    UniqueConstraint("digest", **_AT_COMMIT),
)

providers = Table(
    "providers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("dialect", SmallInteger, nullable=False),
    Column("tls", Boolean, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("base_path", Text, nullable=False),
    Column("key_ref", Text, nullable=False),
    Column("ca_file", Text, nullable=False),
    Column("sni", Text, nullable=False),
    Column("first_byte_timeout_ms", BigInteger, nullable=False),
    Column("idle_timeout_ms", BigInteger, nullable=False),
    Column("http2", Boolean, nullable=False),
)

# Pico-US-dollars per token, and per request.
prices = Table(
    "prices",
    metadata,
    Column("provider", Text, ForeignKey("providers.name", ondelete="CASCADE"), primary_key=True),
    Column("model", Text, primary_key=True),
    # Unix seconds from which on it is in force.
    Column("since", BigInteger, primary_key=True, server_default="0"),
    Column("version", Text, nullable=False),
    Column("input", BigInteger, nullable=False),
    Column("cached_input", BigInteger, nullable=False),
    Column("output", BigInteger, nullable=False),
    Column("reasoning", BigInteger, nullable=False),
    Column("per_request", BigInteger, nullable=False),
)

routes = Table("routes", metadata, Column("model", Text, primary_key=True))

route_targets = Table(
    "route_targets",
    metadata,
    Column("route", Text, ForeignKey("routes.model", ondelete="CASCADE"), primary_key=True),
    # 0 is tried first.
    Column("position", SmallInteger, primary_key=True),
    Column("provider", Text, ForeignKey("providers.name", **_AT_COMMIT), nullable=False),
    Column("model", Text, nullable=False),
)

quotas = Table(
    "quotas",
    metadata,
    # Stands for the counters: a quota whose unit or window changes gets a new one.
    Column("quota_id", Text, primary_key=True),
    Column("tenant", Text, ForeignKey("tenants.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("window", SmallInteger, nullable=False),
    Column("cap", BigInteger, nullable=False),
    # Narrowing of the scope; empty = any.
    Column("key", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("team", Text, nullable=False),
    # Percentages of the cap that raise an alert.
    Column("alert_at", ARRAY(SmallInteger), nullable=False, server_default="{50,80,95,100}"),
    UniqueConstraint("tenant", "name"),
    CheckConstraint("cap >= 0", name="cap_not_negative"),
)

CONFIGURATION: Final = (policies, tenants, virtual_keys, providers, prices, routes, route_targets, quotas)
"""Parents before children."""
