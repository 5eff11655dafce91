"""Tenants whose requests pass while no quota can be asked."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE tenants ADD COLUMN unmetered boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE tenants DROP COLUMN unmetered")
