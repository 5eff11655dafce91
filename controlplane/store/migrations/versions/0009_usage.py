"""Use by tenant, day, key and model."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE usage_days (
            tenant text,
            day date,
            key_id text,
            model text,
            requests bigint NOT NULL,
            input_tokens bigint NOT NULL,
            cached_input_tokens bigint NOT NULL,
            output_tokens bigint NOT NULL,
            reasoning_tokens bigint NOT NULL,
            cost_micro_usd bigint NOT NULL,
            CONSTRAINT pk_usage_days PRIMARY KEY (tenant, day, key_id, model)
        ) WITH (fillfactor = 50)""")


def downgrade() -> None:
    op.execute("DROP TABLE usage_days")
