from __future__ import annotations

from kagamipb.ledger.v1.ledger_pb2 import Abandoned, AuditEntry, Outcome
from support.exchange import context, encoded

from dataplane.exchange import entries
from dataplane.exchange.context import read
from dataplane.exchange.recovery import closing_entries


def attempt(request_id, number=1):
    made = {"x-kagami-exchange": encoded(context(request_id=request_id)), "x-envoy-attempt-count": str(number).encode()}
    return read(made, "ab"[number - 1])


def opened(request_id, number=1):
    return entries.opened(
        attempt(request_id, number),
        1_000,
        stream=True,
        received_sha256=b"r",
        sent_sha256=b"s",
        pii={"PERSON": 1},
        uninspected=0,
    )


def closed(request_id, number=1):
    return entries.closed(attempt(request_id, number), 2_000, entries.End(Outcome.OUTCOME_COMPLETED, final=True))


def test_every_attempt_left_open_is_closed_in_order_and_no_other():
    journal = [opened("r-1"), opened("r-2"), closed("r-1"), opened("r-3"), opened("r-3", 2), closed("r-3", 1)]
    found = [AuditEntry.FromString(data) for data in closing_entries(journal, 5_000)]
    assert [(entry.request_id, entry.closed.attempt) for entry in found] == [("r-2", 1), ("r-3", 2)]
    assert all(entry.closed.outcome == Outcome.OUTCOME_WORKER_LOST for entry in found)
    assert [entry.closed.final for entry in found] == [False, True]
    assert found[0].at_unix_micros == 5_000
    assert found[0].closed.duration_micros == 4_000
    assert (found[0].closed.tenant, found[0].closed.reservation_id, found[0].closed.provider) == ("acme", "res-1", "a")


def test_recovering_twice_adds_nothing():
    journal = [opened("r-1")]
    journal += closing_entries(journal, 5_000)
    assert list(closing_entries(journal, 6_000)) == []


def test_entries_of_other_kinds_do_not_matter():
    other = AuditEntry(request_id="r-1", abandoned=Abandoned()).SerializeToString()
    assert list(closing_entries([other], 1)) == []
