"""The embedded server through its whole life, as whoever runs the tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import psycopg
import pytest

from controlplane.cli.local import postgres, probes
from controlplane.cli.local.children import Child
from controlplane.cli.local.layout import Layout


async def serve(layout: Layout) -> tuple[postgres.Place, Child]:
    at = postgres.place(layout)
    await asyncio.to_thread(postgres.prepare, at)
    child = Child(postgres.command(at, layout.logs / "postgres.log"), lambda _: None)
    await child.start()
    while await probes.postgres(at.url):
        await asyncio.sleep(0.02)
    return at, child


@pytest.fixture
async def layout(tmp_path: Path) -> AsyncIterator[Layout]:
    made = Layout.open(tmp_path / "s")
    yield made
    at = postgres.place(made)
    postgres.end_leftover(at.data)
    if not at.data.is_relative_to(tmp_path):
        shutil.rmtree(at.data.parent)


async def write(at: postgres.Place, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(at.url, autocommit=True) as connection:
        await connection.execute(statement)


async def count(at: postgres.Place) -> int:
    async with await psycopg.AsyncConnection.connect(at.url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM t")).fetchone()
        assert row is not None
        return int(row[0])


async def test_what_was_written_survives_a_kill_of_the_server(layout: Layout) -> None:
    at, child = await serve(layout)
    await write(at, "CREATE TABLE t (x int)")
    await write(at, "INSERT INTO t VALUES (1)")
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    while child.pid in {first, None} or await probes.postgres(at.url):
        await asyncio.sleep(0.02)
    assert await count(at) == 1
    await child.stop()


async def test_a_server_whose_supervisor_was_killed_gives_way(layout: Layout) -> None:
    at, child = await serve(layout)
    await write(at, "CREATE TABLE t (x int)")
    orphan = psutil.Process(child.pid)
    again, successor = await serve(layout)
    assert await count(again) == 0
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    await successor.stop()
    await child.stop()


async def test_a_lock_file_with_a_strangers_number_is_no_obstacle(layout: Layout) -> None:
    at, child = await serve(layout)
    await child.stop()
    (at.data / "postmaster.pid").write_text(f"{os.getpid()}\n{at.data}\n")
    _, child = await serve(layout)
    await child.stop()


async def test_a_half_made_data_directory_is_never_used(layout: Layout) -> None:
    at = postgres.place(layout)
    draft = at.data.with_name(f"{at.data.name}.new")
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18")
    _, child = await serve(layout)
    await child.stop()
    assert not draft.exists()


async def test_it_listens_on_a_private_socket_only(layout: Layout) -> None:
    at, child = await serve(layout)
    process = psutil.Process(child.pid)
    assert [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN] == []
    assert at.socket.stat().st_mode & 0o077 == 0
    assert process.uids().real != 0
    await child.stop()
