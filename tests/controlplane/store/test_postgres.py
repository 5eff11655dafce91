from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from support.postgres import PostgresServer

from controlplane.store.postgres import create_engine, sqlalchemy_url


async def test_the_engine_speaks_to_the_database_of_a_plain_url(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SHOW timezone"))).scalar_one() == "UTC"
        assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "10s"
    await engine.dispose()


@pytest.mark.parametrize("url", ["mysql://host/db", "no url", "postgresql://u:hunter2@host:port/db"])
def test_other_urls_are_refused_without_repeating_their_password(url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        sqlalchemy_url(url)
    assert "postgresql://" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_a_server_of_ones_own_can_be_stopped_and_started_again(own_postgres: PostgresServer) -> None:
    first = own_postgres.pid
    own_postgres.stop()
    with pytest.raises(psycopg.OperationalError):
        own_postgres.connect()
    own_postgres.start()
    own_postgres.connect().close()
    assert own_postgres.pid != first
