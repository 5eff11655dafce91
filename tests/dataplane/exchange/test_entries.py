from __future__ import annotations

from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Outcome, Usage
from support.exchange import context, encoded

from dataplane.exchange import entries
from dataplane.exchange.context import read

ATTEMPT = read({"x-kagami-exchange": encoded(context())}, "a")


def test_the_same_facts_are_the_same_bytes():
    pii = {"PERSON": 1, "ADDRESS": 2, "EMAIL_ADDRESS": 3}
    made = [
        entries.opened(ATTEMPT, 1, stream=False, received_sha256=b"r", sent_sha256=b"s", pii=dict(order), uninspected=0)
        for order in (pii.items(), reversed(pii.items()))
    ]
    assert made[0] == made[1]


def test_a_closed_entry_says_who_where_and_how_much():
    end = entries.End(
        Outcome.OUTCOME_COMPLETED,
        final=True,
        client_status=200,
        usage=Usage(input_tokens=3),
        cost_pico_usd=9,
        pii={"PERSON": 1},
    )
    entry = AuditEntry.FromString(entries.closed(ATTEMPT, 77, end))
    closed = entry.closed
    assert (entry.request_id, entry.at_unix_micros) == ("r-1", 77)
    assert (closed.tenant, closed.provider, closed.model, closed.reservation_id, closed.price_version) == (
        "acme",
        "a",
        "model-a",
        "res-1",
        "v7",
    )
    assert (closed.attempt, closed.final, closed.cost_pico_usd, dict(closed.response_pii)) == (
        1,
        True,
        9,
        {"PERSON": 1},
    )
