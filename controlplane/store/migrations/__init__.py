"""Brings a database to the newest schema: alembic, run by the program itself.

Strategy: every replica calls `upgrade` at its start; all pending migrations run in one transaction under a
PostgreSQL advisory lock, so that any number of replicas may start together and a failed migration leaves
nothing behind. A database that is up to date already, as it nearly always is, costs one query: alembic,
which takes half a second to import, is not even loaded. Files in `versions` are named by revision, in
order: the last is the newest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, NullPool, create_engine, text

from controlplane.store.postgres import sqlalchemy_url

# Any constant will do; this one spells "kagami" in ASCII.
_LOCK: Final = 0x6B6167616D69
_HERE: Final = Path(__file__).parent


def upgrade(database_url: str, revision: str = "head") -> None:
    """Migrates the database; blocking, for use before the event loop starts.

    Raises sqlalchemy.exc.SQLAlchemyError when the database cannot be reached or refuses.
    """
    engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            if revision == "head" and _current(connection) == newest():
                return
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _run(connection, revision)
    finally:
        engine.dispose()


def newest() -> str:
    """The revision `upgrade` leads to."""
    return max(file.name.partition("_")[0] for file in (_HERE / "versions").glob("[0-9]*_*.py"))


def _current(connection: Connection) -> str | None:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    current: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return current


def _run(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
