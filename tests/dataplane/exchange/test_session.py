from __future__ import annotations

import gzip
import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamipb.ledger.v1.ledger_pb2 import Outcome
from kagamipb.policy.v1 import policy_pb2
from support.chunking import cut, cuts, single
from support.exchange import (
    LINK,
    Driver,
    context,
    entry,
    request_body,
    request_headers,
    response_headers,
    session,
    stream_headers,
)
from support.playbook import Playbook
from support.provider import DONE, completion, delta, usage
from support.redactor import NAME, policy

from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.exchange.limits import Limits
from dataplane.exchange.states import State

PHONE, NEW = "090-1234-5678", "03-9876-5432"


def is_opened(effect):
    return (
        isinstance(effect, ef.Append)
        and entry(effect).WhichOneof("event") == "opened"
        and not effect.durable
        and effect.opens
    )


def is_durable_closed(effect):
    return isinstance(effect, ef.Append) and entry(effect).WhichOneof("event") == "closed" and effect.durable


def error_of(reply):
    return reply.status, orjson.loads(reply.body)["error"]["code"]


def stream_events(*pieces):
    return [ev.ResponseBody(piece, end=False) for piece in pieces] + [ev.ResponseBody(b"", end=True)]


def test_a_whole_exchange_in_order():
    play = Playbook(session())
    play >> request_headers() << ef.FindPolicy("p", "v")
    play >> ev.PolicyFound(policy()) << ef.Continue()
    play >> request_body(f"私は{NAME}") << is_opened
    opened = entry(play.last).opened
    play >> ev.Appended(1, LINK) << ef.SendRequest
    assert orjson.loads(play.last.body)["messages"][0]["content"] == "私は<PERSON_1>"
    assert opened.request_sent_sha256 == hashlib.sha256(play.last.body).digest()
    assert (opened.attempt, opened.chain_length, opened.provider, opened.model) == (1, 2, "a", "model-a")
    assert dict(opened.request_pii) == {"PERSON": 1}
    play.after(500) >> response_headers() << ef.SendHeaders
    assert play.last.whole
    answer = completion(f"<PERSON_1>様 {NEW}")
    play.after(500) >> ev.ResponseBody(answer, end=True) << is_durable_closed
    closed = entry(play.last).closed
    play >> ev.Appended(2, LINK) << ef.SendBody
    assert orjson.loads(play.last.data)["choices"][0]["message"]["content"] == f"{NAME}様 <PHONE_NUMBER_1>"
    assert play.last.set_headers == {"x-kagami-audit": f"seq=2 link={LINK.hex()}"}
    assert closed.response_received_sha256 == hashlib.sha256(answer).digest()
    assert closed.response_sent_sha256 == hashlib.sha256(play.last.data).digest()
    assert (closed.outcome, closed.final, closed.price_version) == (Outcome.OUTCOME_COMPLETED, True, "v7")
    assert (closed.cost_pico_usd, closed.first_byte_micros, closed.duration_micros) == (
        10 * 10 + 20 * 100 + 5,
        500,
        1000,
    )
    play >> ev.StreamClosed()
    play.done()


def test_the_last_bytes_of_a_stream_wait_for_a_durable_record():
    play = Playbook(session())
    play >> request_headers() << ef.FindPolicy >> ev.PolicyFound(policy()) << ef.Continue
    play >> request_body(stream=True) << is_opened >> ev.Appended(1, LINK) << ef.SendRequest
    play >> stream_headers() << ef.SendHeaders
    assert not play.last.whole
    play >> ev.ResponseBody(delta("はい。", finish="stop"), end=False) << ef.SendBody
    assert b"[DONE]" not in play.last.data
    play >> ev.ResponseBody(DONE, end=False) << is_durable_closed
    play >> ev.Appended(2, LINK) << ef.SendBody(DONE + f": kagami seq=2 link={LINK.hex()}\n\n".encode())
    play >> ev.ResponseBody(delta(PHONE), end=False) << ef.SendBody(b"")
    play >> ev.ResponseBody(b"", end=True) << ef.SendBody(b"") >> ev.StreamClosed()
    play.done()


def test_the_hash_of_what_was_sent_covers_everything_but_the_comment():
    driver = Driver().called(stream=True)
    driver.take(stream_headers(), *stream_events(delta("電話は"), delta(f"{NEW}。"), delta(finish="stop"), DONE))
    said, _, comment = driver.body.rpartition(b": kagami")
    assert driver.closed.response_sent_sha256 == hashlib.sha256(said).digest()
    assert comment.startswith(b" seq=2 link=")


ANSWER = b"".join(
    [
        delta("", role="assistant"),
        *[delta(c) for c in f"担当は{NAME}、電話は{NEW}。"],
        delta(finish="stop"),
        usage(),
        DONE,
    ]
)


@given(cuts)
def test_a_client_gets_the_same_bytes_however_the_stream_is_cut(places):
    whole = Driver().called(stream=True).take(stream_headers(), *stream_events(ANSWER))
    pieces = Driver().called(stream=True).take(stream_headers(), *stream_events(*cut(ANSWER, places)))
    assert pieces.body == whole.body
    assert NAME not in whole.body.decode()
    assert NEW not in whole.body.decode()


def test_a_client_gets_the_same_bytes_when_the_stream_comes_byte_by_byte():
    whole = Driver().called(stream=True).take(stream_headers(), *stream_events(ANSWER))
    pieces = Driver().called(stream=True).take(stream_headers(), *stream_events(*single(ANSWER)))
    assert pieces.body == whole.body


@pytest.mark.parametrize("enabled", [True, False])
def test_large_bodies_are_worked_on_in_steps_with_the_same_result(enabled):
    small, large = Limits(inline_bytes=0), Limits(inline_bytes=1 << 30)
    results = []
    for limits in (small, large):
        driver = Driver(session(limits), enabled=enabled).called(f"私は{NAME}です。" * 50)
        driver.take(response_headers(), ev.ResponseBody(completion(f"電話は{NEW}。" * 50), end=True))
        results.append(([e for e in driver.sent if isinstance(e, ef.SendRequest)], driver.body))
    assert results[0] == results[1]


def test_with_the_policy_off_bytes_pass_as_they_are():
    answer = completion(f"<PERSON_1> {PHONE}")
    driver = Driver(enabled=False).called(PHONE).take(response_headers(), ev.ResponseBody(answer, end=True))
    assert driver.body == answer
    assert PHONE in driver.sent[1].body.decode()


def test_whole_answers_may_come_in_pieces():
    answer = completion("はい")
    driver = Driver().called().take(response_headers(), *stream_events(*cut(answer, [3, 40])))
    assert orjson.loads(driver.body)["choices"][0]["message"]["content"] == "はい"


@pytest.mark.parametrize(
    ("status", "code", "client"),
    [(500, "provider_error", 502), (429, "rate_limit_exceeded", 429), (401, "provider_error", 502), (404, "provider_error", 502),
     (504, "provider_timeout", 504), (408, "provider_timeout", 504), (302, "provider_error", 502), (204, "provider_error", 502)],
)  # fmt: skip
def test_a_failing_provider_is_left_for_the_next_until_the_chain_ends(status, code, client):
    first = Driver().called().take(response_headers(status))
    assert error_of(first.reply) == (client, code)
    assert first.reply.headers["x-kagami-retry"] == "1"
    assert (first.closed.final, first.closed.provider_status, first.closed.client_status) == (False, status, client)
    assert first.closed.cost_pico_usd == 0
    last = Driver().take(request_headers(attempt=2), request_body(), response_headers(status))
    assert "x-kagami-retry" not in last.reply.headers
    assert (last.closed.final, last.closed.attempt, last.closed.outcome) == (True, 2, Outcome.OUTCOME_PROVIDER_ERROR)


def test_a_provider_that_was_not_reached_has_no_status_of_its_own():
    head = ev.ResponseHeaders({":status": b"503"}, local="upstream_reset_before_response_started{connection_failure}")
    driver = Driver().called().take(head)
    assert error_of(driver.reply) == (502, "provider_error")
    assert (driver.closed.provider_status, driver.closed.first_byte_micros) == (0, 0)
    assert driver.reply.headers["x-kagami-retry"] == "1"


def test_retry_after_passes_when_it_is_a_number_of_seconds():
    assert Driver().called().take(response_headers(429, **{"retry-after": b"12"})).reply.headers["retry-after"] == "12"
    assert (
        "retry-after"
        not in Driver().called().take(response_headers(429, **{"retry-after": b"soon \r\n"})).reply.headers
    )


def test_a_refusal_is_final_and_told_in_our_words():
    body = orjson.dumps({"error": {"message": f"about {NAME}", "code": "context_length_exceeded"}})
    driver = Driver().called().take(response_headers(400), ev.ResponseBody(body, end=True))
    assert error_of(driver.reply) == (400, "context_length_exceeded")
    assert NAME not in driver.reply.body.decode()
    assert "x-kagami-retry" not in driver.reply.headers
    assert (driver.closed.final, driver.closed.cost_pico_usd) == (True, 0)


def test_a_refusal_without_a_body_is_a_refusal():
    driver = Driver().called().take(ev.ResponseHeaders({":status": b"422"}, end=True))
    assert error_of(driver.reply) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["text/html", "text/event-stream", ""])
def test_an_answer_in_another_format_than_asked_is_a_failure(kind):
    assert error_of(Driver().called().take(response_headers(kind=kind)).reply) == (502, "provider_error")


def test_a_whole_answer_to_a_streaming_request_is_a_failure():
    assert error_of(Driver().called(stream=True).take(response_headers()).reply) == (502, "provider_error")


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", completion("a")[:-1]])
def test_an_unreadable_answer_moves_on_to_the_next_provider(body):
    driver = Driver().called().take(response_headers(), ev.ResponseBody(body, end=True))
    assert error_of(driver.reply) == (502, "provider_error")
    assert driver.reply.headers["x-kagami-retry"] == "1"
    assert driver.body == b""


def test_an_answer_larger_than_allowed_is_a_failure():
    driver = Driver(session(Limits(max_response_bytes=100))).called()
    driver.take(response_headers(), ev.ResponseBody(completion("は" * 100), end=True))
    assert error_of(driver.reply) == (502, "provider_error")


def test_an_event_larger_than_allowed_breaks_the_stream():
    driver = Driver(session(Limits(max_event_bytes=100))).called(stream=True)
    driver.take(stream_headers(), ev.ResponseBody(b"data: " + b"x" * 200, end=False))
    assert b'"code":"provider_error"' in driver.body


def test_a_compressed_stream_is_read():
    data = gzip.compress(ANSWER)
    plain = Driver().called(stream=True).take(stream_headers(), *stream_events(ANSWER))
    for pieces in ([data], single(data)):
        driver = Driver().called(stream=True)
        driver.take(
            response_headers(kind="text/event-stream", **{"content-encoding": b"gzip"}), *stream_events(*pieces)
        )
        assert driver.body == plain.body


def test_blocked_requests_reach_no_provider_and_leave_one_record():
    driver = Driver(action=policy_pb2.ACTION_BLOCK).called(PHONE)
    assert error_of(driver.reply) == (403, "pii_blocked")
    assert not any(isinstance(effect, ef.SendRequest) for effect in driver.sent)
    assert (driver.closed.outcome, driver.closed.final, len(driver.entries)) == (Outcome.OUTCOME_BLOCKED, True, 1)
    assert PHONE not in driver.reply.body.decode()


def test_a_blocked_answer_is_billed_and_not_tried_again():
    driver = (
        Driver(action=policy_pb2.ACTION_BLOCK)
        .called()
        .take(response_headers(), ev.ResponseBody(completion(PHONE), end=True))
    )
    assert error_of(driver.reply) == (403, "pii_blocked")
    assert "x-kagami-retry" not in driver.reply.headers
    assert (driver.closed.outcome, driver.closed.usage.output_tokens) == (Outcome.OUTCOME_BLOCKED, 20)


@pytest.mark.parametrize(("passes", "sent"), [(True, 1), (False, 0)])
def test_media_pass_only_when_the_policy_says_so_and_are_counted(passes, sent):
    driver = Driver()
    driver.found = ev.PolicyFound(policy(), pass_uninspected=passes)
    parts = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    driver.take(request_headers(), request_body(messages=[{"role": "user", "content": parts}]))
    assert sum(isinstance(effect, ef.SendRequest) for effect in driver.sent) == sent
    if passes:
        assert driver.entries[0].opened.uninspected_parts == 1
    else:
        assert error_of(driver.reply) == (403, "pii_blocked")


def broken(text):
    raise ValueError(f"detector choked on {text}")


def test_a_detector_that_fails_lets_nothing_pass_and_is_reported():
    driver = Driver(session(detector=broken)).called(PHONE)
    assert error_of(driver.reply) == (503, "redaction_unavailable")
    assert "x-kagami-retry" not in driver.reply.headers
    assert [type(error) for error in driver.reports] == [ValueError]
    assert PHONE not in driver.reply.body.decode()
    assert driver.closed.outcome == Outcome.OUTCOME_GATEWAY_ERROR


def test_a_detector_that_fails_in_a_stream_breaks_it_and_nothing_more_passes():
    fails = iter([False])

    def once(text):
        return [] if not next(fails, True) else broken(text)

    driver = Driver(session(detector=once)).called(stream=True)
    driver.take(stream_headers(), ev.ResponseBody(delta(f"電話は{PHONE}です。よろしくお願いします。"), end=False))
    assert b'"code":"redaction_unavailable"' in driver.body
    assert PHONE.encode() not in driver.body
    driver.take(ev.ResponseBody(delta(PHONE), end=False))
    assert isinstance(driver.sent[-1], ef.Abort)


def test_a_broken_stream_that_ends_in_time_is_not_aborted():
    driver = Driver().called(stream=True).take(stream_headers(), ev.ResponseBody(b"data: {\n\n", end=False))
    driver.take(ev.ResponseBody(b"", end=True))
    assert driver.sent[-1] == ef.SendBody(b"")
    assert b": kagami seq=2" in driver.body
    assert (driver.closed.outcome, driver.closed.final) == (Outcome.OUTCOME_PROVIDER_ERROR, True)


def test_a_stream_that_stops_early_is_a_failure_and_loses_no_usage():
    driver = Driver().called(stream=True).take(stream_headers(), *stream_events(delta("長い話。" * 10)))
    assert b'"code":"provider_error"' in driver.body
    assert b"[DONE]" not in driver.body
    assert driver.closed.usage.output_tokens > 0


def test_work_that_takes_too_long_fails_closed():
    play = Playbook(session())
    play >> request_headers() << ef.FindPolicy >> ev.PolicyFound(policy()) << ef.Continue
    play.session.receive(request_body("あ" * 9999), 1)
    play >> ev.WorkFailed(TimeoutError()) << ef.Report << is_durable_closed >> ev.Appended(1, LINK)
    play << (lambda effect: error_of(effect) == (503, "redaction_unavailable"))
    play.done()


def test_without_a_policy_nothing_passes():
    driver = Driver()
    driver.found = ev.PolicyFound(None)
    driver.take(request_headers())
    assert error_of(driver.reply) == (503, "redaction_unavailable")
    assert driver.closed.final


def test_without_a_journal_no_provider_is_called():
    driver = Driver(fail_appends=True).called()
    assert error_of(driver.reply) == (503, "audit_unavailable")
    assert not any(isinstance(effect, ef.SendRequest) for effect in driver.sent)
    assert driver.session.receive(ev.StreamClosed(), 1) == []


@pytest.mark.parametrize("stream", [True, False])
def test_when_the_journal_fails_at_the_end_the_last_bytes_stay_here(stream):
    driver = Driver().called(stream=stream)
    driver.fail_appends = True
    if stream:
        driver.take(stream_headers(), *stream_events(delta("は", finish="stop"), DONE))
        assert b'"code":"audit_unavailable"' in driver.body
        assert b"[DONE]" not in driver.body
    else:
        driver.take(response_headers(), ev.ResponseBody(completion("は"), end=True))
        assert error_of(driver.reply) == (503, "audit_unavailable")


def test_a_refusal_is_told_even_when_it_cannot_be_recorded():
    driver = Driver(fail_appends=True, action=policy_pb2.ACTION_BLOCK).called(PHONE)
    assert error_of(driver.reply) == (403, "pii_blocked")


def test_without_a_decision_nothing_is_written_and_nothing_passes():
    driver = Driver().take(ev.RequestHeaders({":path": b"/v1/chat/completions"}, "a"))
    assert error_of(driver.reply) == (500, "gateway_error")
    assert driver.entries == []
    assert driver.session.receive(ev.StreamClosed(), 1) == []


@pytest.mark.parametrize(("attempt", "provider"), [(1, "b"), (2, "a"), (3, "a")])
def test_an_attempt_that_was_not_planned_is_refused(attempt, provider):
    driver = Driver().take(request_headers(attempt=attempt, provider=provider))
    assert error_of(driver.reply) == (500, "gateway_error")


def test_a_request_without_a_body_is_refused():
    headers = request_headers()
    driver = Driver().take(ev.RequestHeaders(headers.headers, headers.provider, end=True))
    assert error_of(driver.reply) == (400, "invalid_request")


@pytest.mark.parametrize("depth", range(5))
def test_a_client_that_leaves_is_settled_once_wherever_it_was(depth):
    events = [
        request_headers(),
        request_body("長い話をして", stream=True),
        stream_headers(),
        ev.ResponseBody(delta("昔々。" * 20), end=False),
    ]
    driver = Driver().take(*events[:depth], ev.StreamClosed(), ev.StreamClosed())
    if depth == 0:
        assert driver.entries == []
        return
    assert driver.closed.outcome == Outcome.OUTCOME_CLIENT_CANCELLED
    assert driver.closed.final is (depth >= 3)
    assert (driver.closed.usage.input_tokens > 0) is (depth >= 2)
    assert (driver.closed.usage.output_tokens > 0) is (depth >= 4)
    assert (driver.closed.cost_pico_usd > 0) is (depth >= 2)


def test_a_client_that_leaves_after_the_end_changes_nothing():
    driver = Driver().called().take(response_headers(), ev.ResponseBody(completion("は"), end=True), ev.StreamClosed())
    assert driver.closed.outcome == Outcome.OUTCOME_COMPLETED


def test_trailers_after_the_end_pass_and_before_it_break_the_exchange():
    done = Driver().called(stream=True)
    done.take(
        stream_headers(), ev.ResponseBody(delta("は", finish="stop") + DONE, end=False), ev.ResponseTrailers(("x-a",))
    )
    assert done.sent[-1] == ef.DropTrailers(("x-a",))
    for head, body in ((stream_headers(), delta("は")), (response_headers(), completion("は"))):
        early = Driver().called(stream=head == stream_headers())
        early.take(head, ev.ResponseBody(body, end=False), ev.ResponseTrailers())
        assert isinstance(early.sent[-1], ef.Abort)
        assert early.closed.outcome == Outcome.OUTCOME_PROVIDER_RESET


def test_what_cannot_happen_is_reported_settled_and_aborted():
    driver = Driver().called().take(request_body())
    assert isinstance(driver.sent[-1], ef.Abort)
    assert len(driver.reports) == 1
    assert driver.closed.outcome == Outcome.OUTCOME_GATEWAY_ERROR
    assert driver.session.state is State.DONE


EVENTS = st.sampled_from([
    request_headers(), request_headers(attempt=2), ev.PolicyFound(policy()), ev.PolicyFound(None), request_body(), request_body(stream=True),
    request_body("あ" * 3000), ev.RequestBody(b"{"), response_headers(), stream_headers(), response_headers(503), response_headers(400),
    ev.ResponseBody(delta("は。"), end=False), ev.ResponseBody(DONE, end=False), ev.ResponseBody(b"", end=True), ev.ResponseBody(b"data: {\n\n", end=False),
    ev.ResponseBody(completion("は"), end=True), ev.ResponseTrailers(), ev.StreamClosed(), ev.AppendFailed(), ev.WorkFailed(ValueError()),
])  # fmt: skip


@given(st.lists(EVENTS, max_size=14), st.booleans())
def test_whatever_happens_there_is_one_closed_record_at_most_and_a_call_only_after_its_opened(events, fails):
    driver = Driver(fail_appends=fails).take(*events, ev.StreamClosed())
    kinds = [e.WhichOneof("event") for e in driver.entries]
    assert kinds.count("closed") <= 1
    assert kinds.count("opened") <= 1
    calls = sum(isinstance(effect, ef.SendRequest) for effect in driver.sent)
    assert calls <= kinds.count("opened")
    if "opened" in kinds and not fails:
        assert kinds[-1] == "closed" or any(isinstance(e, ev.AppendFailed) for e in events)
    assert driver.session.state is State.DONE


def test_the_context_may_clamp_the_output():
    driver = Driver().called(decision=context(max_output_tokens=77))
    assert orjson.loads(driver.sent[1].body)["max_completion_tokens"] == 77
