from __future__ import annotations

import hashlib

import pytest
from kagamipb.ledger.v1.ledger_pb2 import Usage
from support.exchange import context, encoded, request_body, response_headers, stream_headers
from support.provider import completion
from support.redactor import policy, run, scan

from dataplane.dialects.model import Measure
from dataplane.errors import ProviderError
from dataplane.exchange.context import read
from dataplane.exchange.events import PolicyFound, ResponseHeaders
from dataplane.exchange.inbound import Inbound, status_of, unanswered
from dataplane.exchange.limits import Limits
from dataplane.exchange.outbound import Outbound
from dataplane.redaction.replace import Redaction

HEADERS = {"x-kagami-exchange": encoded(context())}


def inbound(head, **fields):
    sent = Outbound(read(HEADERS, "a"), HEADERS, lambda policy, _: Redaction(policy, scan))
    sent.adopt(PolicyFound(policy()))
    run(sent.steps(request_body("電話は090-1234-5678", **fields).data))
    return Inbound(sent, head, Limits())


def test_heads_of_streams_pass_at_once_and_those_of_whole_answers_wait():
    assert not inbound(stream_headers(), stream=True).head().whole
    head = inbound(response_headers()).head()
    assert head.whole
    assert head.set_headers["x-kagami-pii"] == "PHONE_NUMBER=1"


def test_hashes_and_counts_follow_the_body():
    made, answer = inbound(response_headers()), completion("電話は03-1111-2222、<PHONE_NUMBER_1>")
    piece = run(made.steps(answer, end=True))
    assert made.hashes == (hashlib.sha256(answer).digest(), hashlib.sha256(piece.data).digest())
    assert (dict(made.pii), made.restored) == ({"PHONE_NUMBER": 1}, 1)
    assert made.used() == Usage(input_tokens=10, output_tokens=20, reported=True)


def test_a_refusal_costs_nothing():
    assert inbound(response_headers(400)).used() == Usage()


def test_an_empty_answer_is_a_failure():
    with pytest.raises(ProviderError, match="empty"):
        inbound(ResponseHeaders(response_headers().headers, end=True))


@pytest.mark.parametrize(("value", "status"), [(b"200", 200), (b"", 0), (b"2000", 0), (b"abc", 0)])
def test_a_status_has_three_digits(value, status):
    assert status_of(ResponseHeaders({":status": value})) == status


def test_a_prompt_that_was_read_is_billed_though_no_answer_came():
    assert unanswered(Measure(8, 0), "m") == Usage(input_tokens=2)
