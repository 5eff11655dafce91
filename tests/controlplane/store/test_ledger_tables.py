from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from controlplane.store import ledger_tables
from controlplane.store.metadata import metadata
from controlplane.store.postgres import sqlalchemy_url

OWN = {table.name for table in ledger_tables.LEDGER}


def test_migrations_make_exactly_the_declared_tables(database_url: str) -> None:
    def own(_object: object, name: str | None, kind: str, _reflected: bool, _compare: object) -> bool:
        return kind != "table" or name in OWN

    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": own, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
