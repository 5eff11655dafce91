"""Brings a database to the newest schema: alembic, run by the program itself.

Strategy: every replica calls `upgrade` at its start; all pending migrations run in one transaction under a
PostgreSQL advisory lock, so that any number of replicas may start together and a failed migration leaves
nothing behind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text

from controlplane.store.postgres import sqlalchemy_url

# Any constant will do; this one spells "kagami" in ASCII.
_LOCK: Final = 0x6B6167616D69


def upgrade(database_url: str, revision: str = "head") -> None:
    """Migrates the database; blocking, for use before the event loop starts.

    Raises sqlalchemy.exc.SQLAlchemyError when the database cannot be reached or refuses.
    """
    engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()
