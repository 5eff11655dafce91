from __future__ import annotations

import json

import pytest

from controlplane.xds.headers import REQUEST_ID, RETRY
from controlplane.xds.replies import HOP, OUTER, error_body, local_replies


@pytest.mark.parametrize("reply", [*OUTER, *HOP], ids=lambda reply: reply.code)
def test_every_reply_is_a_complete_openai_error_without_format_operators(reply):
    text = error_body(reply.status or 500, reply.code, reply.message)
    assert set(json.loads(text)["error"]) == {"message", "type", "param", "code"}
    assert "%" not in text


@pytest.mark.parametrize(("status", "kind"), [(413, "invalid_request_error"), (503, "server_error")])
def test_the_type_says_whose_fault_it_is(status, kind):
    assert json.loads(error_body(status, "c", "m"))["error"]["type"] == kind


def test_exempt_details_come_first_and_change_nothing():
    first, second, *_ = local_replies(OUTER, "ext_authz_denied").mappers
    assert first.status_code is None
    assert first.body_format_override is None
    assert b"ext_authz_denied" in bytes(first.filter)
    assert second.status_code == 503


def test_only_an_unreachable_data_plane_moves_on_to_the_next_provider():
    added = [{option.header.key for option in mapper.headers_to_add} for mapper in local_replies(HOP).mappers]
    assert added == [{REQUEST_ID, RETRY}, {REQUEST_ID}, {REQUEST_ID}]


def test_the_outer_listener_never_asks_itself_for_a_retry():
    assert not any(reply.retry for reply in OUTER)
