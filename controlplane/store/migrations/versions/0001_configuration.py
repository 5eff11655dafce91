"""Configuration: tenants, virtual keys, providers, prices, routes, redaction policies, quotas."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE config_revisions (
    kind text CONSTRAINT pk_config_revisions PRIMARY KEY,
    revision bigint NOT NULL
);
CREATE TABLE policies (
    name text CONSTRAINT pk_policies PRIMARY KEY,
    version text NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE tenants (
    name text CONSTRAINT pk_tenants PRIMARY KEY,
    display_name text NOT NULL,
    policy text NOT NULL CONSTRAINT fk_tenants_policy_policies REFERENCES policies
        DEFERRABLE INITIALLY DEFERRED,
    time_zone text NOT NULL,
    disabled boolean NOT NULL
);
CREATE TABLE virtual_keys (
    key_id text CONSTRAINT pk_virtual_keys PRIMARY KEY,
    tenant text NOT NULL CONSTRAINT fk_virtual_keys_tenant_tenants REFERENCES tenants ON DELETE CASCADE,
    name text NOT NULL,
    digest bytea NOT NULL CONSTRAINT uq_virtual_keys_digest UNIQUE DEFERRABLE INITIALLY DEFERRED,
    models text[] NOT NULL,
    disabled boolean NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT uq_virtual_keys_tenant_name UNIQUE (tenant, name)
);
CREATE TABLE providers (
    name text CONSTRAINT pk_providers PRIMARY KEY,
    dialect smallint NOT NULL,
    tls boolean NOT NULL,
    host text NOT NULL,
    port integer NOT NULL,
    base_path text NOT NULL,
    key_ref text NOT NULL,
    ca_file text NOT NULL,
    sni text NOT NULL,
    first_byte_timeout_ms bigint NOT NULL,
    idle_timeout_ms bigint NOT NULL,
    http2 boolean NOT NULL
);
CREATE TABLE prices (
    provider text CONSTRAINT fk_prices_provider_providers REFERENCES providers ON DELETE CASCADE,
    model text,
    version text NOT NULL,
    input bigint NOT NULL,
    cached_input bigint NOT NULL,
    output bigint NOT NULL,
    reasoning bigint NOT NULL,
    per_request bigint NOT NULL,
    CONSTRAINT pk_prices PRIMARY KEY (provider, model)
);
CREATE TABLE routes (model text CONSTRAINT pk_routes PRIMARY KEY);
CREATE TABLE route_targets (
    route text CONSTRAINT fk_route_targets_route_routes REFERENCES routes ON DELETE CASCADE,
    position smallint,
    provider text NOT NULL CONSTRAINT fk_route_targets_provider_providers REFERENCES providers
        DEFERRABLE INITIALLY DEFERRED,
    model text NOT NULL,
    CONSTRAINT pk_route_targets PRIMARY KEY (route, position)
);
CREATE TABLE quotas (
    quota_id text CONSTRAINT pk_quotas PRIMARY KEY,
    tenant text NOT NULL CONSTRAINT fk_quotas_tenant_tenants REFERENCES tenants ON DELETE CASCADE,
    name text NOT NULL,
    unit smallint NOT NULL,
    "window" smallint NOT NULL,
    cap bigint NOT NULL,
    key text NOT NULL,
    model text NOT NULL,
    "user" text NOT NULL,
    provider text NOT NULL,
    team text NOT NULL,
    CONSTRAINT uq_quotas_tenant_name UNIQUE (tenant, name),
    CONSTRAINT ck_quotas_cap_not_negative CHECK (cap >= 0)
);
"""

# The row lock also orders writers of one table one after the other.
_FUNCTION = """
CREATE FUNCTION config_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE config_revisions SET revision = revision + 1 WHERE kind = TG_TABLE_NAME;
    PERFORM pg_notify('kagami_config', '');
    RETURN NULL;
END $$;
"""

_WATCHED = ("policies", "tenants", "virtual_keys", "providers", "prices", "routes", "route_targets", "quotas")


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_FUNCTION)
    for table in _WATCHED:
        op.execute(f"INSERT INTO config_revisions VALUES ('{table}', 1)")  # noqa: S608 - our own names
        op.execute(
            f"CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION config_changed()"
        )


def downgrade() -> None:
    for table in reversed(_WATCHED):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION config_changed")
    op.execute("DROP TABLE config_revisions")
