"""What a request's input was taken for when it was admitted, to learn from what providers count."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE audit_requests ADD COLUMN input_estimate bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE audit_requests DROP COLUMN input_estimate")
