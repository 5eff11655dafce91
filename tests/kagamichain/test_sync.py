from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kagamichain.sync import DISTRUST_SECONDS, QUICK_SECONDS, GroupSync


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


class Syncing(GroupSync):
    """Knows in which threads it made something durable: `note` is called there."""

    def __init__(self, fd: int, now: Callable[[], float] = time.monotonic) -> None:
        self.threads: list[int] = []
        super().__init__(fd, 0, lambda seq: self.threads.append(threading.get_ident()), lambda: None, now)

    async def durable(self, seq: int, *, here: bool) -> bool:
        """Append, wait, and whether that was done in this thread."""
        self.appended = seq
        await self.wait(seq, here=here)
        assert self.synced == seq
        return self.threads[-1] == threading.get_ident()


async def test_here_is_this_thread_and_elsewhere_another(fd: int) -> None:
    sync = Syncing(fd)
    assert [await sync.durable(seq, here=here) for seq, here in ((1, True), (2, False), (3, True))] == [
        True,
        False,
        True,
    ]
    sync.close(3)


async def test_here_waits_for_one_that_is_under_way(fd: int) -> None:
    sync = Syncing(fd)
    sync.appended = 1
    first = asyncio.create_task(sync.wait(1))
    await asyncio.sleep(0)
    assert not await sync.durable(2, here=True)
    assert first.done()
    sync.close(2)


async def test_a_slow_disk_is_not_waited_for_here_for_a_while(fd: int) -> None:
    clock = {"now": 1_000.0, "step": QUICK_SECONDS * 1.5}

    def now() -> float:
        clock["now"] += clock["step"]
        return clock["now"]

    sync = Syncing(fd, now)
    assert await sync.durable(1, here=True)
    clock["step"] = 0.0
    assert not await sync.durable(2, here=True)
    clock["now"] += DISTRUST_SECONDS
    assert await sync.durable(3, here=True)
    sync.close(3)


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
