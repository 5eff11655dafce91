from __future__ import annotations

import asyncio
import os

import grpc
import pytest
from kagamichain.journal import Journal, JournalError
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Outcome
from support.exchange import context, encoded

from dataplane.app.worker import Worker, recover
from dataplane.drivers.analyzer import Analyzer
from dataplane.exchange import entries
from dataplane.exchange.context import read
from dataplane.extproc.server import METHOD
from dataplane.settings import parse

ATTEMPT = read({"x-kagami-exchange": encoded(context())}, "a")


def opened():
    return entries.opened(ATTEMPT, 1, stream=True, received_sha256=b"r", sent_sha256=b"s", pii={}, uninspected=0)


def test_a_successor_closes_what_its_predecessor_left_open_once(tmp_path):
    journal = Journal.open(tmp_path, "dp-0")
    journal.append(opened())
    journal.close()
    for expected in (1, 0):
        journal = Journal.open(tmp_path, "dp-0")
        assert recover(journal, 9) == expected
        journal.close()
    frames = list(Journal.open(tmp_path, "dp-0").recovered)
    last = AuditEntry.FromString(frames[-1].entry)
    assert (len(frames), last.request_id, last.closed.outcome) == (2, "r-1", Outcome.OUTCOME_WORKER_LOST)


def settings(tmp_path):
    return parse(
        {
            "KAGAMI_LISTEN": f"unix:{tmp_path}/dp-{{worker}}.sock",
            "KAGAMI_CONTROLPLANE_ENDPOINTS": f"unix:{tmp_path}/nobody.sock",
            "KAGAMI_JOURNAL_DIR": str(tmp_path),
            "KAGAMI_HASH_KEY": "k" * 32,
        }
    )


async def test_without_policies_yet_streams_are_left_to_other_workers(tmp_path):
    stop = asyncio.Event()
    running = asyncio.create_task(Worker(settings(tmp_path), 0, Analyzer(())).run(stop))
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/dp-0.sock") as channel:
        await channel.channel_ready()
        assert await channel.stream_stream(METHOD.decode())().code() is grpc.StatusCode.UNAVAILABLE
    stop.set()
    await running


async def test_a_worker_whose_journal_broke_for_good_ends_so_that_another_may_take_over(tmp_path):
    worker = Worker(settings(tmp_path), 0, Analyzer(()))
    journal = worker._journal
    running = asyncio.create_task(worker.run(asyncio.Event()))
    read_end, write_end = os.pipe()  # fsync of a pipe fails with EINVAL, as a broken disk fails with EIO
    seq = journal.append(opened()).seq
    os.dup2(write_end, journal._fd)
    with pytest.raises(JournalError):
        await journal.durable(seq)
    with pytest.raises(JournalError, match="check the disk"):
        await asyncio.wait_for(running, 10)
    journal.close()
    os.close(read_end)
    os.close(write_end)
