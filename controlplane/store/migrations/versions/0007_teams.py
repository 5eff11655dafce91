"""Teams of virtual keys, by which quotas may be narrowed."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE virtual_keys ADD COLUMN team text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE virtual_keys DROP COLUMN team")
