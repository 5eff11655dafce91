from __future__ import annotations

from kagamichain.journal import Journal
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Outcome
from support.exchange import context, encoded

from dataplane.app.worker import recover
from dataplane.exchange import entries
from dataplane.exchange.context import read

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
