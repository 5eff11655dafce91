from __future__ import annotations

import hashlib

import orjson
import pytest
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry
from support.exchange import context, encoded, request_body
from support.redactor import NAME, policy, run, scan

from dataplane.errors import InternalError, PiiBlocked
from dataplane.exchange.context import read
from dataplane.exchange.events import PolicyFound
from dataplane.exchange.outbound import Outbound
from dataplane.redaction.replace import Redaction

HEADERS = {"x-kagami-exchange": encoded(context()), "cookie": b"a=b"}


def outbound(**policy_fields):
    made = Outbound(read(HEADERS, "a"), HEADERS, lambda policy, _: Redaction(policy, scan))
    made.adopt(PolicyFound(policy(**policy_fields)))
    return made


def test_a_request_is_parsed_redacted_recorded_and_addressed():
    body = request_body(f"私は{NAME}").data
    made = outbound()
    run(made.steps(body))
    entry = AuditEntry.FromString(made.opened(9)).opened
    sent = made.send()
    assert entry.request_received_sha256 == hashlib.sha256(body).digest()
    assert entry.request_sent_sha256 == hashlib.sha256(sent.body).digest()
    assert dict(entry.request_pii) == dict(made.pii) == {"PERSON": 1}
    assert sent.set_headers[":path"] == "/v1/chat/completions"
    assert "cookie" in sent.remove_headers
    assert NAME not in sent.body.decode()


def test_a_policy_that_is_off_redacts_nothing_and_keeps_the_hashes():
    made = outbound(enabled=False)
    run(made.steps(request_body(NAME).data))
    assert made.redaction is None
    assert NAME in orjson.loads(made.send().body)["messages"][0]["content"]
    assert len(made.received_sha256) == 32


def test_media_are_refused_unless_they_may_pass():
    parts = [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]
    made = outbound()
    with pytest.raises(PiiBlocked):
        run(made.steps(request_body(messages=[{"role": "user", "content": parts}]).data))


def test_without_a_policy_or_a_body_there_is_nothing_to_send():
    made = Outbound(read(HEADERS, "a"), HEADERS, lambda policy, _: Redaction(policy, scan))
    with pytest.raises(InternalError):
        made.send()
    with pytest.raises(InternalError):
        run(made.steps(request_body().data))
