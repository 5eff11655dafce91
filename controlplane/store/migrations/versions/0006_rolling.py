"""What is settled into rolling windows, by when it comes back."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE quota_buckets (
            quota_id text,
            start bigint,
            returns bigint,
            amount bigint NOT NULL,
            CONSTRAINT pk_quota_buckets PRIMARY KEY (quota_id, start, returns)
        ) WITH (fillfactor = 50)""")


def downgrade() -> None:
    op.execute("DROP TABLE quota_buckets")
