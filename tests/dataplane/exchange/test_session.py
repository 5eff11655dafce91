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
    play >> ev.PolicyFound(policy()) >> request_body(f"私は{NAME}") << is_opened
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
    play >> request_headers() << ef.FindPolicy >> ev.PolicyFound(policy())
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
    assert PHONE in driver.sent[0].body.decode()


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
    play >> request_headers() << ef.FindPolicy >> ev.PolicyFound(policy())
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
    assert orjson.loads(driver.sent[0].body)["max_completion_tokens"] == 77


# Streams that outgrow their reservation

TENS = [delta("あ" * 10) for _ in range(30)]  # 10.5 tokens each, by the estimate for models nobody knows
LONG = b"".join([delta("", role="assistant"), *TENS, delta(finish="stop"), usage(7, 300), DONE])


def paying(paid: int, **more):
    return context(paid_output_tokens=paid, **more)


def streamed(pieces, decision, grant=lambda asked: 0, **fields):
    driver = Driver(**fields)
    driver.grant = grant
    driver.called(stream=True, decision=decision)
    for event in stream_events(*pieces):
        if driver.session.state is State.BROKEN:
            break
        driver.take(stream_headers(), event) if driver.session.state is State.CALLING else driver.take(event)
    return driver


def said(driver):
    chunks = [orjson.loads(line[6:]) for line in driver.body.split(b"\n\n") if line.startswith(b"data: {")]
    return [choice for chunk in chunks for choice in chunk.get("choices", [])]


def text(driver):
    return "".join(choice["delta"].get("content") or "" for choice in said(driver))


def test_a_stream_nobody_counts_is_never_asked_about():
    driver = streamed([LONG], context())
    assert driver.asked == []
    assert driver.closed.outcome == Outcome.OUTCOME_COMPLETED


def test_a_stream_that_outgrows_what_is_paid_for_is_cut_within_two_chunks_and_settled_to_what_was_held():
    driver = streamed([*TENS], paying(100))
    assert len(text(driver)) == 100  # 95 would have been within, 100 are 105 tokens
    assert said(driver)[-1]["finish_reason"] == "length"
    assert driver.body.endswith(DONE + f": kagami seq={len(driver.entries)} link={LINK.hex()}\n\n".encode())
    closed = driver.closed
    assert (closed.outcome, closed.code, closed.final) == (Outcome.OUTCOME_QUOTA_CUT, "insufficient_quota", True)
    assert (closed.usage.output_tokens, closed.usage.reported) == (100, False)
    assert closed.cost_pico_usd == closed.usage.input_tokens * 10 + 100 * 100 + 5
    before, _, _ = driver.body.rpartition(b": kagami")
    assert closed.response_sent_sha256 == hashlib.sha256(before).digest()


def test_after_the_cut_the_providers_next_message_breaks_the_call_off():
    driver = streamed([*TENS], paying(100)).take(ev.ResponseBody(TENS[0], end=False))
    assert driver.sent[-1] == ef.Abort("the answer was broken off")


@given(cuts)
def test_a_cut_falls_at_the_same_place_however_the_stream_arrives(places):
    whole, pieces = streamed([LONG], paying(100)), streamed(cut(LONG, places), paying(100))
    assert pieces.body.rpartition(b"seq=")[0] == whole.body.rpartition(b"seq=")[0]
    assert pieces.closed.usage == whole.closed.usage


def test_a_cut_falls_at_the_same_place_when_the_stream_arrives_byte_by_byte():
    whole, pieces = streamed([LONG], paying(100)), streamed(single(LONG), paying(100))
    assert pieces.body.rpartition(b"seq=")[0] == whole.body.rpartition(b"seq=")[0]
    assert text(pieces) == "あ" * 100


@pytest.mark.parametrize("limits", [Limits(), Limits(inline_bytes=0)])
def test_a_stream_that_is_granted_more_in_time_completes_unhurt(limits):
    driver = Driver(session(limits))
    driver.grant = lambda asked: asked.output_tokens
    driver.called(stream=True, decision=paying(64)).take(
        stream_headers(), *stream_events(*TENS, delta(finish="stop"), usage(7, 300), DONE)
    )
    assert text(driver) == "あ" * 300
    assert said(driver)[-1]["finish_reason"] == "stop"
    first = driver.asked[0]
    assert (first.request_id, first.tenant, first.provider, first.reservation_id) == ("r-1", "acme", "a", "res-1")
    assert (first.output_tokens, first.pico_usd_per_output_token) == (64, 200)
    assert 2 <= len(driver.asked) <= 4
    closed, told = driver.closed, [e.extended for e in driver.entries if e.WhichOneof("event") == "extended"]
    assert (closed.outcome, closed.usage.output_tokens, closed.usage.reported) == (Outcome.OUTCOME_COMPLETED, 300, True)
    assert list(closed.extensions) == [one.extension for one in told]
    assert [one.id for one in closed.extensions] == [f"e{n}" for n in range(1, len(driver.asked) + 1)]
    assert {one.reservation_id for one in told} == {"res-1"}


@given(cuts, st.integers(16, 200))
def test_what_is_granted_changes_no_byte_however_the_stream_arrives(places, paid):
    free = Driver().called(stream=True).take(stream_headers(), *stream_events(ANSWER))
    paid_for = streamed(cut(ANSWER, places), paying(paid), lambda asked: 16)
    assert paid_for.body.rpartition(b"seq=")[0] == free.body.rpartition(b"seq=")[0]


def test_what_was_held_back_is_redacted_and_flushed_at_the_cut():
    pieces = [delta(c) for c in f"担当は{NAME}、電話は{NEW}"] + [delta("あ" * 10)] * 30
    driver = streamed(pieces, paying(16))
    assert driver.closed.outcome == Outcome.OUTCOME_QUOTA_CUT
    assert "<PERSON_" in text(driver) or "担当は" in text(driver)
    assert NAME not in driver.body.decode()
    assert NEW not in driver.body.decode()
    assert driver.sent


def test_by_policy_a_cut_is_told_as_an_error():
    driver = Driver()
    driver.found = ev.PolicyFound(policy(), cut_with_error=True)
    driver.called(stream=True, decision=paying(100)).take(
        stream_headers(), *[ev.ResponseBody(one, end=False) for one in TENS[:11]]
    )
    last = driver.body.split(b"\n\n")[-3]
    assert orjson.loads(last.removeprefix(b"data: "))["error"]["code"] == "insufficient_quota"
    assert DONE not in driver.body
    assert driver.closed.outcome == Outcome.OUTCOME_QUOTA_CUT


def test_a_cut_ends_every_choice_that_is_still_running():
    pieces = [
        delta("い", index=0, finish="stop"),
        delta("あ" * 20, index=1),
        delta("う" * 20, index=2),
        delta("え" * 9, index=1),
    ]
    driver = streamed(pieces, paying(30), enabled=False)
    ends = {choice["index"]: choice["finish_reason"] for choice in said(driver) if choice["finish_reason"]}
    assert ends == {0: "stop", 1: "length", 2: "length"}
    assert driver.body.count(b"data: [DONE]") == 1


def test_the_end_of_an_answer_and_its_usage_are_never_cut():
    driver = streamed([*TENS[:10], delta(finish="stop"), usage(7, 99), DONE], paying(100))
    assert driver.closed.outcome == Outcome.OUTCOME_COMPLETED
    assert driver.closed.usage.output_tokens == 99
    assert said(driver)[-1]["finish_reason"] == "stop"


def test_a_provider_that_counts_on_the_way_is_believed():
    def counted(tokens):
        choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": None}
        return (
            b"data: "
            + orjson.dumps({"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": tokens}})
            + b"\n\n"
        )

    driver = streamed([counted(n * 10) for n in range(1, 30)], paying(100))
    assert driver.closed.usage.output_tokens == 100
    assert driver.closed.usage.input_tokens == 3
    assert len(text(driver)) == 11


def test_a_request_whose_limit_is_paid_for_asks_for_nothing_until_it_is_passed():
    within = streamed([*TENS[:9]], paying(100, max_output_tokens=100))
    assert within.asked == []
    own = Driver()
    own.called(stream=True, decision=paying(100), max_tokens=100).take(
        stream_headers(), *[ev.ResponseBody(x, end=False) for x in TENS[:9]]
    )
    assert own.asked == []
    own.take(*[ev.ResponseBody(x, end=False) for x in TENS[:2]])
    assert len(own.asked) == 1
    assert own.closed.outcome == Outcome.OUTCOME_QUOTA_CUT


def test_more_is_asked_up_to_the_limit_the_provider_was_given():
    driver = streamed([*TENS[:9]], paying(100, max_output_tokens=130), lambda asked: asked.output_tokens)
    assert [one.output_tokens for one in driver.asked] == [30]


def test_after_a_refusal_what_is_paid_for_still_flows_and_it_is_asked_again():
    answers = iter([0, 0, 200, 200, 200])
    driver = streamed([*TENS, delta(finish="stop"), usage(7, 300), DONE], paying(200), lambda asked: next(answers))
    assert driver.closed.outcome == Outcome.OUTCOME_COMPLETED
    assert text(driver) == "あ" * 300


def test_an_answer_that_comes_too_late_changes_nothing():
    driver = streamed([LONG], context())
    driver.take(ev.MoreAnswered(5, "e", "r"))
    assert len([e for e in driver.entries if e.WhichOneof("event") == "extended"]) == 0


def test_a_client_that_leaves_is_settled_with_what_was_granted():
    driver = Driver()
    driver.grant = lambda asked: asked.output_tokens
    driver.called(stream=True, decision=paying(100)).take(stream_headers())
    driver.take(*[ev.ResponseBody(one, end=False) for one in TENS[:20]], ev.StreamClosed())
    assert driver.closed.outcome == Outcome.OUTCOME_CLIENT_CANCELLED
    assert driver.closed.usage.output_tokens == 210
    assert len(driver.closed.extensions) == len(driver.asked) > 0


def test_a_provider_that_passes_the_limit_it_was_given_leaves_a_mark():
    driver = Driver().called(decision=context(max_output_tokens=19))
    driver.take(response_headers(), ev.ResponseBody(completion("はい"), end=True))
    assert (driver.closed.code, driver.closed.usage.output_tokens) == ("output_limit_ignored", 20)
    driver = Driver().called(decision=context(max_output_tokens=20))
    driver.take(response_headers(), ev.ResponseBody(completion("はい"), end=True))
    assert driver.closed.code == ""
