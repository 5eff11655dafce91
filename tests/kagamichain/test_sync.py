from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kagamichain import sync as module
from kagamichain.sync import GroupSync


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    with (tmp_path / "file").open("wb") as file:
        yield file.fileno()


async def test_what_fails_in_an_unforeseen_way_is_told_and_ends_all_further_claims(fd: int) -> None:
    failed = asyncio.Event()

    def note(seq: int) -> None:
        raise ArithmeticError(seq)

    sync = GroupSync(fd, 0, note, failed.set)
    sync.appended = 1
    await asyncio.gather(sync.wait(1), sync.wait(1))  # on the disk it is
    assert failed.is_set()
    with pytest.raises(OSError, match="ArithmeticError: entries may be lost"):
        await sync.wait(2)
    sync.close(2)
    assert sync.synced == 1


async def test_no_sync_follows_one_that_failed_not_even_when_closing(fd: int) -> None:
    read_end, write_end = os.pipe()  # fsync of a pipe fails with EINVAL, as a broken disk fails with EIO
    sync = GroupSync(write_end, 0, lambda seq: None, lambda: None)
    sync.appended = 1
    waiting = asyncio.create_task(sync.wait(1))
    await asyncio.sleep(0)
    sync.moved(write_end, fd)
    # Closed while the loop has not heard of the failure yet.
    sync.close(1)
    with pytest.raises(OSError, match="entries may be lost"):
        await waiting
    assert sync.synced == 0
    os.close(read_end)
    os.close(write_end)


async def test_a_file_is_closed_once_it_is_durable_and_another_took_its_place(fd: int, tmp_path: Path) -> None:
    noted: list[int] = []
    sync = GroupSync(fd, 0, noted.append, lambda: None)
    with (tmp_path / "next").open("wb") as file, (tmp_path / "old").open("wb") as old:
        sync.moved(old.fileno(), file.fileno())
        sync.appended = 2
        await asyncio.gather(sync.wait(1), sync.wait(2))
        with pytest.raises(OSError, match="Bad file descriptor"):
            old.close()
        sync.close(2)
    assert noted == [2, 2]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The thread of each fsync."""
    seen: list[int] = []

    def note(fd: int) -> None:
        os.fsync(fd)
        seen.append(threading.get_ident())

    monkeypatch.setattr(module, "_sync_file", note)
    return seen


async def test_here_is_this_thread_and_elsewhere_another(fd: int, threads: list[int]) -> None:
    sync = GroupSync(fd, 0, lambda seq: None, lambda: None)
    for seq, here in ((1, True), (2, False), (3, True)):
        sync.appended = seq
        await sync.wait(seq, here=here)
        assert sync.synced == seq
    sync.close(3)
    mine = threading.get_ident()
    assert [thread == mine for thread in threads[:3]] == [True, False, True]


async def test_here_waits_for_one_that_is_under_way(fd: int, threads: list[int]) -> None:
    sync = GroupSync(fd, 0, lambda seq: None, lambda: None)
    sync.appended = 1
    first = asyncio.create_task(sync.wait(1))
    await asyncio.sleep(0)
    sync.appended = 2
    await sync.wait(2, here=True)
    assert first.done()
    assert threading.get_ident() not in threads
    sync.close(2)


async def test_a_slow_disk_is_not_waited_for_here_for_a_while(
    fd: int, threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    quick = module._sync_file

    def slow(fd: int) -> None:
        quick(fd)
        now[0] += module.QUICK_SECONDS * 1.5

    sync = GroupSync(fd, 0, lambda seq: None, lambda: None, lambda: now[0])
    for seq, work, passed in ((1, slow, 0.0), (2, quick, 1.0), (3, quick, module.DISTRUST_SECONDS)):
        monkeypatch.setattr(module, "_sync_file", work)
        now[0] += passed
        sync.appended = seq
        await sync.wait(seq, here=True)
    sync.close(3)
    mine = threading.get_ident()
    assert [thread == mine for thread in threads[:3]] == [True, False, True]


async def test_a_failure_here_is_told_and_ends_all_further_claims(fd: int) -> None:
    failed = asyncio.Event()
    read_end, write_end = os.pipe()
    sync = GroupSync(write_end, 0, lambda seq: None, failed.set)
    sync.appended = 1
    with pytest.raises(OSError, match="entries may be lost"):
        await sync.wait(1, here=True)
    assert failed.is_set()
    sync.moved(write_end, fd)
    sync.appended = 2
    with pytest.raises(OSError, match="entries may be lost"):
        await sync.wait(2, here=True)
    sync.close(2)
    os.close(read_end)
    os.close(write_end)
