"""Prices have a moment at which they come into force."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE prices ADD COLUMN since bigint NOT NULL DEFAULT 0, DROP CONSTRAINT pk_prices")
    op.execute("ALTER TABLE prices ADD CONSTRAINT pk_prices PRIMARY KEY (provider, model, since)")


def downgrade() -> None:
    op.execute("DELETE FROM prices WHERE since > 0")
    op.execute("ALTER TABLE prices DROP COLUMN since, ADD CONSTRAINT pk_prices PRIMARY KEY (provider, model)")
