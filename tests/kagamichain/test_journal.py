"""The journal against torn ends, tampering, full disks, a second process and kill -9."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kagamichain.chain import START, Frame
from kagamichain.journal import Journal, JournalError
from kagamichain.verify import verify


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path / "j", "dp-0")
    yield journal
    journal.close()


def everything(journal: Journal) -> list[Frame]:
    return journal.read(0, 1_000_000)


def segment(directory: Path) -> Path:
    return max(directory.glob("*.seg"))


def filled(directory: Path, count: int = 10, **options: int) -> None:
    journal = Journal.open(directory, "dp-0", **options)
    for n in range(count):
        journal.append(b"entry %d" % n)
    journal.close()


def test_appended_entries_read_back_as_a_sound_chain(journal: Journal) -> None:
    positions = [journal.append(b"entry %d" % n) for n in range(10)]
    frames = everything(journal)
    assert [(f.seq, f.link) for f in frames] == positions
    assert verify(journal.writer, frames) == journal.head


def test_reading_goes_on_from_anywhere(journal: Journal) -> None:
    for n in range(10):
        journal.append(b"%d" % n)
    assert [f.seq for f in journal.read(3, 4)] == [4, 5, 6, 7]
    assert [f.seq for f in journal.read(7, 4)] == [8, 9, 10]
    assert [f.seq for f in journal.read(0, 1)] == [1]
    assert journal.read(10, 4) == []


def test_a_reopened_journal_continues_the_chain_under_the_same_name(tmp_path: Path) -> None:
    first = Journal.open(tmp_path, "dp-0")
    first.append(b"one")
    first.close()
    second = Journal.open(tmp_path, "dp-0")
    assert second.writer == first.writer
    assert second.writer.startswith("dp-0-")
    assert second.append(b"two").seq == 2
    assert [f.entry for f in second.recovered] == [b"one"]
    assert verify(second.writer, everything(second)).seq == 2
    second.close()


def test_two_directories_never_share_a_name(tmp_path: Path) -> None:
    one, two = Journal.open(tmp_path / "1", "dp-0"), Journal.open(tmp_path / "2", "dp-0")
    assert one.writer != two.writer
    one.close()
    two.close()


@pytest.mark.parametrize("name", ["", "../x", "DP", "a" * 64, "-a"])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(JournalError, match="lower-case"):
        Journal.open(tmp_path, name)


def test_an_unwritable_place_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="make the directory writable"):
        Journal.open(tmp_path / "file" / "journal", "dp-0")


def test_a_second_process_cannot_open_the_directory(journal: Journal, tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from kagamichain.journal import Journal; Journal.open(Path(sys.argv[1]), 'dp-0')"
    second = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "j")], capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert f"in use by process {os.getpid()}" in second.stderr
    journal.append(b"still fine")


@pytest.mark.parametrize("entry", [b"", b"x" * ((1 << 20) + 1)])
def test_an_entry_without_a_sensible_size_is_refused(journal: Journal, entry: bytes) -> None:
    with pytest.raises(JournalError, match="bytes"):
        journal.append(entry)
    assert journal.head == START


# Durability


async def test_waiters_share_one_sync(journal: Journal) -> None:
    last = 0
    for _ in range(200):
        last = journal.append(b"entry").seq
    await asyncio.gather(*(journal.durable(seq) for seq in range(1, last + 1)))
    assert journal.synced == last


async def test_entries_appended_during_a_sync_get_the_next(journal: Journal) -> None:
    first = asyncio.create_task(journal.durable(journal.append(b"one").seq))
    await asyncio.sleep(0)
    second = journal.append(b"two").seq
    await journal.durable(second)
    await first
    assert journal.synced == 2


async def test_a_cancelled_waiter_does_not_disturb_the_others(journal: Journal) -> None:
    seq = journal.append(b"one").seq
    cancelled = asyncio.create_task(journal.durable(seq))
    other = asyncio.create_task(journal.durable(seq))
    await asyncio.sleep(0)
    cancelled.cancel()
    await other
    assert journal.synced == 1


async def test_after_a_failed_sync_nothing_is_claimed_durable_or_taken(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "dp-0")
    seq = journal.append(b"one").seq
    read_end, write_end = os.pipe()  # fsync of a pipe fails with EINVAL, as a broken disk fails with EIO
    os.dup2(write_end, journal._fd)
    with pytest.raises(JournalError, match="check the disk and restart"):
        await journal.durable(seq)
    with pytest.raises(JournalError, match="check the disk and restart"):
        journal.append(b"two")
    with pytest.raises(JournalError, match="check the disk and restart"):
        await journal.durable(seq)
    assert "check the disk and restart" in str(await journal.failed())
    journal.close()
    os.close(read_end)
    os.close(write_end)


async def test_a_journal_that_works_has_not_failed(tmp_path: Path) -> None:
    with contextlib.closing(Journal.open(tmp_path, "dp-0")) as journal:
        await journal.durable(journal.append(b"one").seq)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(journal.failed(), 0.05)


async def test_closing_makes_everything_durable(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "dp-0")
    waiter = asyncio.create_task(journal.durable(journal.append(b"one").seq))
    await asyncio.sleep(0)
    journal.close()
    journal.close()
    await waiter
    assert journal.synced == 1
    with pytest.raises(JournalError, match="closed"):
        journal.append(b"two")


# Crashes and tampering


@given(cut=st.integers(1, 40))
@settings(max_examples=40)
def test_a_torn_end_is_cut_off_and_kept_aside(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    directory = tmp_path_factory.mktemp("torn")
    filled(directory, 5)
    (directory / "synced").unlink()
    file = segment(directory)
    data = file.read_bytes()
    file.write_bytes(data[:-cut])
    journal = Journal.open(directory, "dp-0")
    assert [f.entry for f in journal.recovered] == [b"entry 0", b"entry 1", b"entry 2", b"entry 3"]
    assert (directory / "torn-5.bin").read_bytes() == data[len(data) - 43 : len(data) - cut]
    assert journal.append(b"next").seq == 5
    assert verify(journal.writer, everything(journal)).seq == 5
    journal.close()


def test_zeros_left_by_a_power_cut_are_a_torn_end(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    with segment(tmp_path).open("ab") as file:
        file.write(bytes(5000))
    journal = Journal.open(tmp_path, "dp-0")
    assert journal.torn_bytes == 5000
    assert len(list(journal.recovered)) == 3
    journal.close()


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_an_altered_durable_entry_is_refused(tmp_path: Path, seq: int) -> None:
    filled(tmp_path, 5)
    file = segment(tmp_path)
    data = bytearray(file.read_bytes())
    data[48 + seq * 43 - 1] ^= 1
    file.write_bytes(data)
    with pytest.raises(JournalError, match=f"entry {seq} was stored durably .* altered"):
        Journal.open(tmp_path, "dp-0")


def test_a_dropped_durable_end_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    file = segment(tmp_path)
    os.truncate(file, file.stat().st_size - 43)
    with pytest.raises(JournalError, match="entry 5 was stored durably"):
        Journal.open(tmp_path, "dp-0")


def test_swapped_durable_entries_are_refused(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    file = segment(tmp_path)
    data = file.read_bytes()
    a, b = 48 + 43, 48 + 2 * 43
    file.write_bytes(data[:a] + data[b : b + 43] + data[a:b] + data[b + 43 :])
    with pytest.raises(JournalError, match="entry 2 was stored durably"):
        Journal.open(tmp_path, "dp-0")


def test_a_missing_segment_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, 30, max_segment_bytes=300)
    sorted(tmp_path.glob("*.seg"))[1].unlink()
    with pytest.raises(JournalError, match="missing or altered"):
        Journal.open(tmp_path, "dp-0")


def test_removing_every_segment_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    segment(tmp_path).unlink()
    with pytest.raises(JournalError, match="entry 1 was stored durably"):
        Journal.open(tmp_path, "dp-0")


WRITER = """
import sys
from pathlib import Path
from kagamichain.journal import Journal
journal = Journal.open(Path(sys.argv[1]), "dp-0", max_segment_bytes=20_000)
n = 0
while True:
    n += 1
    journal.append(b"entry %d" % n)
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""


def test_every_entry_acknowledged_before_kill_9_is_there_afterwards(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(500):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    acknowledged = 500 + len(process.stdout.read().splitlines())
    process.wait()
    process.stdout.close()
    journal = Journal.open(tmp_path, "dp-0")
    frames = everything(journal)
    assert len(frames) >= acknowledged - 1  # the last line may itself be torn
    assert [f.entry for f in frames] == [b"entry %d" % n for n in range(1, len(frames) + 1)]
    assert verify(journal.writer, frames) == journal.head
    journal.close()


def test_a_full_disk_refuses_appends_until_there_is_room_again(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "dp-0")
    journal.append(b"x" * 100)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        for _ in range(3):
            with pytest.raises(JournalError, match="free space"):
                journal.append(b"y" * 200)
        assert journal.append(b"short").seq == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert journal.append(b"y" * 200).seq == 3
    journal.close()
    again = Journal.open(tmp_path, "dp-0")
    assert again.torn_bytes == 0
    assert [len(f.entry) for f in again.recovered] == [100, 5, 200]
    again.close()


async def test_a_disk_that_takes_no_note_of_what_is_durable_does_not_close_the_journal(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "dp-0")
    journal.append(b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        await journal.durable(1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await journal.durable(journal.append(b"after").seq)
    journal.close()


# Segments


def test_a_chain_runs_on_over_segments(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "dp-0", max_segment_bytes=300)
    for n in range(50):
        journal.append(b"entry %d" % n)
    assert len(list(tmp_path.glob("*.seg"))) > 5
    assert verify(journal.writer, everything(journal)).seq == 50
    assert [f.seq for f in journal.read(20, 15)] == list(range(21, 36))
    journal.close()
    again = Journal.open(tmp_path, "dp-0", max_segment_bytes=300)
    assert [f.seq for f in again.recovered] == list(range(1, 51))
    again.close()


async def test_trimming_deletes_what_is_acknowledged_and_durable_only(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "dp-0", max_segment_bytes=300)
    for n in range(50):
        journal.append(b"entry %d" % n)
    journal.trim(50)
    assert len(everything(journal)) == 50
    await journal.durable(50)
    journal.trim(30)
    with pytest.raises(JournalError, match="already stored elsewhere"):
        journal.read(0, 1)
    assert [f.seq for f in journal.read(30, 100)] == list(range(31, 51))
    journal.trim(50)
    journal.close()
    again = Journal.open(tmp_path, "dp-0")
    assert again.head.seq == 50
    assert again.append(b"next").seq == 51
    again.close()


async def test_kept_entries_survive_trimming(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "dp-0", max_segment_bytes=300)
    for n in range(50):
        journal.append(b"entry %d" % n)
    await journal.durable(50)
    journal.keep_from(7)
    journal.trim(50)
    assert journal.read(6, 1)[0].seq == 7
    journal.keep_from(None)
    journal.trim(50)
    with pytest.raises(JournalError):
        journal.read(6, 1)
    journal.close()


@given(st.lists(st.binary(min_size=1, max_size=400), max_size=30), st.integers(200, 2000))
@settings(max_examples=50)
def test_any_entries_over_any_segments_read_back(
    tmp_path_factory: pytest.TempPathFactory, entries: list[bytes], size: int
) -> None:
    directory = tmp_path_factory.mktemp("any")
    journal = Journal.open(directory, "dp-0", max_segment_bytes=size)
    for entry in entries:
        journal.append(entry)
    assert [f.entry for f in everything(journal)] == entries
    journal.close()
    again = Journal.open(directory, "dp-0", max_segment_bytes=size)
    assert [f.entry for f in again.recovered] == entries
    assert again.head == journal.head
    again.close()
