"""The ledger: audit chains, one row per request, quota accounts and leases."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE audit_writers (
    writer text CONSTRAINT pk_audit_writers PRIMARY KEY,
    seq bigint NOT NULL,
    link bytea NOT NULL
);
CREATE TABLE audit_frames (
    writer text,
    seq bigint,
    link bytea NOT NULL,
    entry bytea NOT NULL,
    CONSTRAINT pk_audit_frames PRIMARY KEY (writer, seq)
);
CREATE TABLE audit_requests (
    request_id text CONSTRAINT pk_audit_requests PRIMARY KEY,
    at_micros bigint NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tenant text NOT NULL DEFAULT '',
    key_id text NOT NULL DEFAULT '',
    end_user text NOT NULL DEFAULT '',
    model text NOT NULL DEFAULT '',
    path text NOT NULL DEFAULT '',
    policy text NOT NULL DEFAULT '',
    outcome text NOT NULL DEFAULT 'open',
    http_status integer NOT NULL DEFAULT 0,
    code text NOT NULL DEFAULT '',
    cost_micro_usd bigint NOT NULL DEFAULT 0,
    admitted boolean NOT NULL DEFAULT false,
    final boolean NOT NULL DEFAULT false,
    reservation text NOT NULL DEFAULT '',
    holder text NOT NULL DEFAULT '',
    charged bigint[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);
CREATE INDEX ix_audit_requests_at_micros ON audit_requests (at_micros);
CREATE INDEX ix_audit_requests_tenant_at ON audit_requests (tenant, at_micros);
CREATE INDEX ix_audit_requests_open ON audit_requests (touched_at) WHERE NOT final;
CREATE INDEX ix_audit_requests_holder ON audit_requests (holder) WHERE holder <> '';
CREATE TABLE audit_attempts (
    request_id text CONSTRAINT fk_audit_attempts_request_id_audit_requests
        REFERENCES audit_requests ON DELETE CASCADE,
    attempt integer,
    writer text,
    body jsonb NOT NULL,
    CONSTRAINT pk_audit_attempts PRIMARY KEY (request_id, attempt, writer)
) WITH (fillfactor = 70);
CREATE TABLE quota_owners (
    owner text CONSTRAINT pk_quota_owners PRIMARY KEY,
    node text NOT NULL,
    expires_at timestamptz NOT NULL,
    last_op bigint NOT NULL DEFAULT 0,
    last_reply jsonb NOT NULL DEFAULT '[]'
);
CREATE TABLE quota_windows (
    quota_id text,
    start bigint,
    ends bigint NOT NULL DEFAULT 0,
    cap bigint NOT NULL DEFAULT 0,
    settled bigint NOT NULL DEFAULT 0,
    leased bigint NOT NULL DEFAULT 0,
    wanted_until timestamptz,
    CONSTRAINT pk_quota_windows PRIMARY KEY (quota_id, start)
) WITH (fillfactor = 50);
CREATE TABLE quota_leases (
    quota_id text,
    start bigint,
    owner text,
    amount bigint NOT NULL,
    CONSTRAINT pk_quota_leases PRIMARY KEY (quota_id, start, owner)
) WITH (fillfactor = 50);
CREATE INDEX ix_quota_leases_owner ON quota_leases (owner);
"""

_NAMES = (
    "quota_leases",
    "quota_windows",
    "quota_owners",
    "audit_attempts",
    "audit_requests",
    "audit_frames",
    "audit_writers",
)


def upgrade() -> None:
    op.execute(_TABLES)


def downgrade() -> None:
    for name in _NAMES:
        op.execute(f"DROP TABLE {name}")
