from __future__ import annotations

from kagamipb.ledger.v1.ledger_pb2 import AuditEntry
from support.exchange import context, request_headers

from dataplane.exchange import effects as ef
from dataplane.exchange.context import read
from dataplane.exchange.events import MoreAnswered
from dataplane.exchange.growth import Growth
from dataplane.exchange.meter import Meter

ATTEMPT = read(request_headers(context(paid_output_tokens=64)).headers, "a")


def test_a_question_names_the_reservation_and_the_dearest_price_and_is_asked_once():
    growth, meter = Growth(), Meter(64, 0)
    assert growth.ask(meter, ATTEMPT) == []
    meter.note(60)
    assert growth.ask(meter, ATTEMPT) == [ef.AskMore("r-1", "acme", "a", "res-1", 64, 200)]
    assert growth.ask(meter, ATTEMPT) == []


def test_an_extension_is_written_down_before_it_is_used():
    growth, meter, answer = Growth(), Meter(64, 0), MoreAnswered(32, "e1", "cp|more")
    [append] = growth.take(answer, meter, ATTEMPT, 7)
    assert (append.durable, append.answered) == (False, False)
    entry = AuditEntry.FromString(append.entry)
    assert (entry.request_id, entry.at_unix_micros, entry.extended.reservation_id) == ("r-1", 7, "res-1")
    assert (entry.extended.extension.id, entry.extended.extension.reservation_id) == ("e1", "cp|more")
    assert (growth.granted, meter.paid) == ([answer], 96)


def test_a_refusal_and_a_grant_that_holds_nothing_leave_no_entry():
    growth, meter = Growth(), Meter(64, 0)
    assert growth.take(MoreAnswered(), meter, ATTEMPT, 7) == []
    assert growth.take(MoreAnswered(32), meter, ATTEMPT, 7) == []
    assert (growth.granted, meter.paid) == ([], 96)
