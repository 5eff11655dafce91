"""What requests under way were granted beyond their reservation."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE audit_requests
            ADD COLUMN extensions text[] NOT NULL DEFAULT '{}',
            ADD COLUMN freed integer NOT NULL DEFAULT 0""")
    op.execute("""
        CREATE INDEX ix_audit_requests_extended ON audit_requests (request_id)
        WHERE cardinality(extensions) > freed""")


def downgrade() -> None:
    op.execute("ALTER TABLE audit_requests DROP COLUMN extensions, DROP COLUMN freed")
