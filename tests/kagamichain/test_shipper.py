"""The way to the ledger, with a receiver that keeps a verified chain and fails on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from kagamichain.chain import START, Frame, Head
from kagamichain.journal import Journal, JournalError
from kagamichain.shipper import Shipper
from kagamichain.verify import verify


class Receiver:
    """A ledger in memory: verifies, keeps, acknowledges."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.failures: list[Exception] = []
        self.lose_replies = 0
        self.batches: list[int] = []
        self.changed = asyncio.Event()

    async def send(self, writer: str, frames: Sequence[Frame]) -> int:
        if self.failures:
            raise self.failures.pop()
        fresh = [f for f in frames if f.seq > len(self.frames)]
        head = Head(self.frames[-1].seq, self.frames[-1].link) if self.frames else START
        verify(writer, fresh, after=head)
        self.frames += fresh
        self.batches.append(len(frames))
        self.changed.set()
        if frames and self.lose_replies:
            self.lose_replies -= 1
            raise ConnectionError("reply lost")
        return len(self.frames)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.frames) < count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def running(shipper: Shipper) -> AsyncIterator[None]:
    task = asyncio.create_task(shipper.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def shipper(journal: Journal, receiver: Receiver, **options: int) -> Shipper:
    return Shipper(journal, receiver.send, linger=0, max_wait=0.2, **options)


async def test_entries_arrive_in_order_in_bounded_batches(tmp_path: Path) -> None:
    journal, receiver = Journal.open(tmp_path, "dp-0"), Receiver()
    for n in range(100):
        journal.append(b"%d" % n)
    async with running(shipper(journal, receiver, batch=16)):
        await receiver.until(100)
        journal.append(b"later")
        await receiver.until(101)
    assert max(receiver.batches) == 16
    assert [f.entry for f in receiver.frames][:3] == [b"0", b"1", b"2"]
    journal.close()


async def test_only_durable_entries_are_shipped(tmp_path: Path) -> None:
    journal, receiver = Journal.open(tmp_path, "dp-0"), Receiver()
    async with running(shipper(journal, receiver)):
        seq = journal.append(b"one").seq
        await receiver.until(1)
        assert journal.synced == seq
    journal.close()


async def test_failures_and_lost_replies_lose_and_repeat_nothing(tmp_path: Path) -> None:
    journal, receiver, seen = Journal.open(tmp_path, "dp-0"), Receiver(), []
    receiver.failures = [ConnectionError("away"), TimeoutError("slow")]
    receiver.lose_replies = 2
    for n in range(50):
        journal.append(b"%d" % n)
    ship = Shipper(journal, receiver.send, batch=10, linger=0, max_wait=0.2, on_error=seen.append)
    async with running(ship):
        await receiver.until(50)
    assert [f.entry for f in receiver.frames] == [b"%d" % n for n in range(50)]
    assert len(seen) == 4
    journal.close()


async def test_a_restarted_shipper_continues_where_the_ledger_stands(tmp_path: Path) -> None:
    journal, receiver = Journal.open(tmp_path, "dp-0"), Receiver()
    journal.append(b"one")
    async with running(shipper(journal, receiver)):
        await receiver.until(1)
    journal.append(b"two")
    async with running(shipper(journal, receiver)):
        await receiver.until(2)
    assert [f.entry for f in receiver.frames] == [b"one", b"two"]
    journal.close()


async def test_acknowledged_segments_are_deleted(tmp_path: Path) -> None:
    journal, receiver = Journal.open(tmp_path, "dp-0", max_segment_bytes=300), Receiver()
    for n in range(50):
        journal.append(b"entry %d" % n)
    before = len(list(tmp_path.glob("*.seg")))
    await shipper(journal, receiver).flush()
    assert len(list(tmp_path.glob("*.seg"))) == 1 < before
    journal.close()


async def test_a_ledger_that_knows_more_than_the_journal_is_reported(tmp_path: Path) -> None:
    journal, receiver = Journal.open(tmp_path / "a", "dp-0"), Receiver()
    journal.append(b"one")
    await shipper(journal, receiver).flush()
    shorter = Journal.open(tmp_path / "b", "dp-0")
    with pytest.raises(JournalError, match="the ledger holds entry 1, the journal ends at 0"):
        await shipper(shorter, receiver).flush()
    journal.close()
    shorter.close()


async def test_a_batch_is_bounded_in_bytes_and_never_empty(tmp_path: Path) -> None:
    journal, receiver = Journal.open(tmp_path, "dp-0"), Receiver()
    for size in (10, 500, 10, 10, 10):
        journal.append(b"x" * size)
    await shipper(journal, receiver, batch_bytes=30).flush()
    assert receiver.batches == [0, 1, 1, 3]
    assert len(receiver.frames) == 5
    journal.close()


async def test_what_comes_while_a_batch_is_under_way_waits_for_the_next(tmp_path: Path) -> None:
    """Under load there is always more; shipping it at once would be a transaction for every few entries."""
    journal, receiver = Journal.open(tmp_path, "dp"), Receiver()

    async def send(writer: str, frames: Sequence[Frame]) -> int:
        if frames and len(receiver.frames) < 10:
            journal.append(b"meanwhile")
        return await receiver.send(writer, frames)

    for _ in range(3):
        journal.append(b"before")
    await Shipper(journal, send, batch=2).flush()
    assert receiver.batches == [0, 2, 1]
    await Shipper(journal, send).flush()
    assert receiver.batches[3:] == [0, 2]
    journal.close()
