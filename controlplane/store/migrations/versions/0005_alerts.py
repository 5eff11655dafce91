"""Alerts: when a quota's use reaches a part of its cap, and where the tenant wants to be told."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_ALERTS = """
CREATE TABLE quota_alerts (
    quota_id text,
    start bigint,
    percent smallint,
    tenant text NOT NULL,
    quota text NOT NULL,
    unit smallint NOT NULL,
    "window" smallint NOT NULL,
    settled bigint NOT NULL,
    cap bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    writer text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'waiting',
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_status integer NOT NULL DEFAULT 0,
    CONSTRAINT pk_quota_alerts PRIMARY KEY (quota_id, start, percent)
);
CREATE INDEX ix_quota_alerts_waiting ON quota_alerts (next_at) WHERE state = 'waiting';
CREATE INDEX ix_quota_alerts_unwritten ON quota_alerts (created_at) WHERE writer = '';
CREATE INDEX ix_quota_alerts_tenant_at ON quota_alerts (tenant, created_at);
"""


def upgrade() -> None:
    for name in ("webhook_url", "webhook_secret"):
        op.execute(f"ALTER TABLE tenants ADD COLUMN {name} text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE quotas ADD COLUMN alert_at smallint[] NOT NULL DEFAULT '{50,80,95,100}'")
    op.execute(_ALERTS)


def downgrade() -> None:
    op.execute("DROP TABLE quota_alerts")
    op.execute("ALTER TABLE quotas DROP COLUMN alert_at")
    for name in ("webhook_url", "webhook_secret"):
        op.execute(f"ALTER TABLE tenants DROP COLUMN {name}")
