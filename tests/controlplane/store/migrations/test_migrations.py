from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from controlplane.store import migrations, schema
from controlplane.store.metadata import metadata
from controlplane.store.migrations import upgrade
from controlplane.store.postgres import sqlalchemy_url

OWN_TABLES = {table.name for table in (*schema.CONFIGURATION, schema.config_revisions)}


def test_migrations_make_exactly_the_declared_schema(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _parents: kind != "table" or name in OWN_TABLES,
                "include_object": lambda _object, name, kind, _reflected, _compare: (
                    kind != "table" or name in OWN_TABLES
                ),
            },
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_replicas_that_start_together_migrate_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(upgrade, empty_database_url) for _ in range(4)]:
            done.result()
    with psycopg.connect(empty_database_url) as connection:
        rows = connection.execute("SELECT kind, revision FROM config_revisions").fetchall()
    assert sorted(rows) == sorted((table.name, 1) for table in schema.CONFIGURATION)


@pytest.mark.parametrize("table", [table.name for table in schema.CONFIGURATION])
def test_any_write_to_the_configuration_raises_the_revision(database_url: str, table: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"DELETE FROM {table}")
        rows = connection.execute("SELECT kind FROM config_revisions WHERE revision > 1").fetchall()
    assert rows == [(table,)]


def test_writers_wake_listeners_when_they_commit(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as listener, psycopg.connect(database_url) as writer:
        listener.execute(f"LISTEN {schema.NOTIFY_CHANNEL}")
        writer.execute("DELETE FROM policies")
        assert list(listener.notifies(timeout=0.05)) == []
        writer.commit()
        assert [note.channel for note in listener.notifies(timeout=5, stop_after=1)] == [schema.NOTIFY_CHANNEL]


def test_the_newest_file_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.newest()


def test_a_database_that_is_up_to_date_is_left_alone_without_loading_alembic(database_url: str) -> None:
    program = "import sys; from controlplane.store.migrations import upgrade; upgrade(sys.argv[1]); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program, database_url], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_older_database_is_brought_up(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0001")
    upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrations.newest(),)]
