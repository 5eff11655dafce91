"""The tables of the ledger: audit chains as received, one row per request, and quota accounts.

`audit_frames` is the evidence, kept byte for byte; `audit_requests` and `audit_attempts` are derived from it
and can be made again. `quota_windows` is the truth about budgets; `quota_leases` says which replica may
spend what is leased, and `quota_owners` which replicas are alive. Amounts are integers in the quota's unit
(micro-dollars, requests, tokens).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from controlplane.store.metadata import metadata

QUOTA_CHANNEL = "kagami_quota"
"""NOTIFY channel: `wanted <quota> <window> <owner>` and `freed <quota> <window>`."""

audit_writers = Table(
    "audit_writers",
    metadata,
    Column("writer", Text, primary_key=True),
    # The chain's head as stored here.
    Column("seq", BigInteger, nullable=False),
    Column("link", LargeBinary, nullable=False),
)

audit_frames = Table(
    "audit_frames",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("link", LargeBinary, nullable=False),
    Column("entry", LargeBinary, nullable=False),
)

audit_requests = Table(
    "audit_requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("at_micros", BigInteger, nullable=False),
    # The database's clock when the last entry arrived: grace periods do not depend on anyone else's.
    Column("touched_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("tenant", Text, nullable=False, server_default=""),
    Column("key_id", Text, nullable=False, server_default=""),
    Column("end_user", Text, nullable=False, server_default=""),
    Column("model", Text, nullable=False, server_default=""),
    Column("path", Text, nullable=False, server_default=""),
    Column("policy", Text, nullable=False, server_default=""),
    Column("outcome", Text, nullable=False, server_default="open"),
    Column("http_status", Integer, nullable=False, server_default="0"),
    Column("code", Text, nullable=False, server_default=""),
    Column("cost_micro_usd", BigInteger, nullable=False, server_default="0"),
    Column("admitted", Boolean, nullable=False, server_default="false"),
    Column("final", Boolean, nullable=False, server_default="false"),
    Column("reservation", Text, nullable=False, server_default=""),
    # The quota owner named by the reservation, while it holds anything; empty otherwise.
    Column("holder", Text, nullable=False, server_default=""),
    # What was charged so far, hold by hold.
    Column("charged", ARRAY(BigInteger), nullable=False, server_default="{}"),
    Column("input_estimate", BigInteger, nullable=False, server_default="0"),
    # What it was granted beyond the reservation (`<id> <reservation>`), in the order heard of; the first `freed` of
    # them hold nothing any more.
    Column("extensions", ARRAY(Text), nullable=False, server_default="{}"),
    Column("freed", Integer, nullable=False, server_default="0"),
    Index("ix_audit_requests_at_micros", "at_micros"),
    Index("ix_audit_requests_tenant_at", "tenant", "at_micros"),
    Index("ix_audit_requests_open", "touched_at", postgresql_where=text("NOT final")),
    Index("ix_audit_requests_holder", "holder", postgresql_where=text("holder <> ''")),
    Index("ix_audit_requests_extended", "request_id", postgresql_where=text("cardinality(extensions) > freed")),
)

audit_attempts = Table(
    "audit_attempts",
    metadata,
    Column("request_id", Text, ForeignKey("audit_requests.request_id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("writer", Text, primary_key=True),
    # Everything else about it (controlplane.ledger.record.Attempt): read as a whole, never searched by.
    Column("body", JSONB, nullable=False),
)

quota_owners = Table(
    "quota_owners",
    metadata,
    Column("owner", Text, primary_key=True),
    # Stable identity of the replica: a new process of the same node retires its predecessor.
    Column("node", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    # Number and reply of the last exchange: repeating one whose reply was lost changes nothing.
    Column("last_op", BigInteger, nullable=False, server_default="0"),
    Column("last_reply", JSONB, nullable=False, server_default="[]"),
)

quota_windows = Table(
    "quota_windows",
    metadata,
    Column("quota_id", Text, primary_key=True),
    # Unix seconds, 0 = lifetime, -L = rolling over L seconds.
    Column("start", BigInteger, primary_key=True),
    Column("ends", BigInteger, nullable=False, server_default="0"),
    Column("cap", BigInteger, nullable=False, server_default="0"),
    Column("settled", BigInteger, nullable=False, server_default="0"),
    Column("leased", BigInteger, nullable=False, server_default="0"),
    # Until then somebody waits for room: whoever frees some says so.
    Column("wanted_until", DateTime(timezone=True)),
)

quota_leases = Table(
    "quota_leases",
    metadata,
    Column("quota_id", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("owner", Text, primary_key=True),
    # Free in the owner's memory plus held by its unsettled requests.
    Column("amount", BigInteger, nullable=False),
    Index("ix_quota_leases_owner", "owner"),
)

quota_buckets = Table(
    "quota_buckets",
    metadata,
    Column("quota_id", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    # Unix second at which the amount leaves the rolling window.
    Column("returns", BigInteger, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)

quota_alerts = Table(
    "quota_alerts",
    metadata,
    # Once per window and percentage, whoever settles.
    Column("quota_id", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("percent", SmallInteger, primary_key=True),
    # As they were then.
    Column("tenant", Text, nullable=False),
    Column("quota", Text, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("window", SmallInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("cap", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    # The chain it was written to; empty = still to be written.
    Column("writer", Text, nullable=False, server_default=""),
    # Of the webhook: waiting, delivered, failed, none.
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("last_status", Integer, nullable=False, server_default="0"),
    Index("ix_quota_alerts_waiting", "next_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_quota_alerts_unwritten", "created_at", postgresql_where=text("writer = ''")),
    Index("ix_quota_alerts_tenant_at", "tenant", "created_at"),
)

usage_days = Table(
    "usage_days",
    metadata,
    Column("tenant", Text, primary_key=True),
    # In the tenant's time zone, when the request was admitted.
    Column("day", Date, primary_key=True),
    Column("key_id", Text, primary_key=True),
    # As the client asked for it.
    Column("model", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("cost_micro_usd", BigInteger, nullable=False),
)

LEDGER = (
    audit_writers,
    audit_frames,
    audit_requests,
    audit_attempts,
    quota_owners,
    quota_windows,
    quota_leases,
    quota_buckets,
    quota_alerts,
    usage_days,
)
