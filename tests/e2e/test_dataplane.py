"""The data plane behind a real Envoy: what leaves, what comes back, what is written down."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import uuid

import httpx
import orjson
import pytest
from kagamipb.ledger.v1.ledger_pb2 import Outcome
from kagamipb.policy.v1 import policy_pb2
from support.chunking import single
from support.dataplane import running
from support.provider import DONE, Script, completion, delta, event, serving, usage

pytestmark = pytest.mark.e2e

NAME, PHONE, NEW = "佐藤太郎", "090-1234-5678", "03-9876-5432"
STREAMING = {"content-type": "text/event-stream"}


def policy(name, **fields):
    return policy_pb2.RedactionPolicy(name=name, version=f"{name}-1", enabled=True, **fields)


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    blocking = [
        policy_pb2.EntityRule(entity="PHONE_NUMBER", request=policy_pb2.ACTION_BLOCK, response=policy_pb2.ACTION_BLOCK)
    ]
    policies = [policy("strict"), policy("blocking", rules=blocking)]
    policies.append(policy_pb2.RedactionPolicy(name="off", version="off-1", enabled=False))
    with running(tmp_path_factory.mktemp("dp"), policies) as started:
        yield started


@pytest.fixture
async def a(rig):
    async with serving(rig.ports[0]) as provider:
        yield provider


@pytest.fixture
async def b(rig):
    async with serving(rig.ports[1]) as provider:
        yield provider


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=20, trust_env=False) as started:
        yield started


def chat(text, **more):
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def new_id():
    return str(uuid.uuid4())


def content(body: bytes, index: int = 0) -> str:
    chunks = [orjson.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    choices = [choice for chunk in chunks for choice in chunk.get("choices", []) if choice["index"] == index]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def test_nothing_personal_leaves_and_the_clients_own_values_come_back(rig, a, client):
    request_id = new_id()
    a.script = Script([completion(f"<PERSON_1>様、{NEW} へどうぞ")])
    prompt = f"私は{NAME}です。電話は{PHONE}です。"
    reply = await client.post(rig.url, json=chat(prompt), headers=rig.decision(request_id))
    assert reply.status_code == 200, reply.text
    assert reply.json()["choices"][0]["message"]["content"] == f"{NAME}様、<PHONE_NUMBER_2> へどうぞ"
    sent = a.received[0].body.decode()
    assert NAME not in sent
    assert PHONE not in sent
    assert reply.headers["x-kagami-request-id"] == request_id
    assert reply.headers["x-kagami-pii"] == "PERSON=1,PHONE_NUMBER=1"
    assert reply.headers["x-kagami-audit"].startswith("seq=")
    [closed] = rig.control.closed(request_id)
    assert (closed.outcome, closed.final, closed.client_status) == (Outcome.OUTCOME_COMPLETED, True, 200)
    assert (closed.usage.input_tokens, closed.usage.output_tokens, closed.usage.reported) == (10, 20, True)
    assert closed.cost_pico_usd == 10 * 1_000 + 20 * 2_000
    assert (dict(closed.response_pii), closed.restored) == ({"PHONE_NUMBER": 1}, 1)


async def test_the_provider_sees_its_own_path_and_no_header_of_the_gateway_or_the_client(rig, a, client):
    a.script = Script([completion("はい")])
    headers = {
        **rig.decision(new_id()),
        "authorization": "Bearer secret",
        "cookie": "a=b",
        "x-kagami-user": "taro",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x-forwarded-for": "203.0.113.9",
        "accept-encoding": "gzip",
    }
    await client.post(rig.url, json=chat("こんにちは"), headers=headers)
    received = a.received[0]
    assert received.line == "POST /api/v1/chat/completions HTTP/1.1"
    assert set(received.headers) == {"host", "content-type", "content-length", "accept", "user-agent"}
    assert received.headers["host"] == "provider-a.test"
    assert orjson.loads(received.body)["model"] == "model-a"


async def test_a_stream_is_redacted_wherever_it_is_cut(rig, a, client):
    request_id = new_id()
    events = [delta("", role="assistant"), delta(f"担当は{NAME[:2]}"), delta(f"{NAME[2:]}です。電話は{NEW[:5]}")]
    events += [delta(f"{NEW[5:]}です。"), delta("<PHONE_NUM"), delta("BER_1>"), delta(finish="stop"), usage(), DONE]
    stream = b"".join(events)
    a.script = Script(single(stream), headers=STREAMING)
    async with client.stream(
        "POST", rig.url, json=chat(f"電話は{PHONE}です。", stream=True), headers=rig.decision(request_id)
    ) as reply:
        body = b"".join([piece async for piece in reply.aiter_raw()])
    assert reply.headers["content-type"].startswith("text/event-stream")
    text = content(body)
    assert NAME not in text
    assert NEW not in text
    assert text == f"担当は<PERSON_1>です。電話は<PHONE_NUMBER_2>です。{PHONE}"
    assert b"usage" not in body
    done, comment = body.rstrip().split(b"\n\n")[-2:]
    assert done == b"data: [DONE]"
    [closed] = rig.control.closed(request_id)
    position = next(e for e in rig.control.entries(request_id) if e.WhichOneof("event") == "closed")
    assert comment.startswith(b": kagami seq=")
    assert position.request_id == request_id
    assert closed.usage.output_tokens == 20


async def test_first_text_comes_before_the_answer_is_complete(rig, a, client):
    a.script = Script([delta("これは一つ目の文です。" * 8), *[delta("続き。")] * 20, delta(finish="stop"), DONE],
                      headers=STREAMING, pause=0.05)  # fmt: skip
    loop, times = asyncio.get_running_loop(), []
    async with client.stream("POST", rig.url, json=chat("やあ", stream=True), headers=rig.decision(new_id())) as reply:
        async for piece in reply.aiter_raw():
            if piece:
                times.append(loop.time())
    assert times[-1] - times[0] > 0.5


async def test_a_failing_provider_is_followed_by_the_next(rig, a, b, client):
    for script in (
        Script(status=503),
        Script(status=429),
        Script(status=401),
        Script(reset_after=0),
        Script(hang=True),
    ):
        request_id = new_id()
        a.script, b.script = script, Script([completion("どうも")])
        reply = await client.post(rig.url, json=chat(f"私は{NAME}です。"), headers=rig.decision(request_id))
        assert (reply.status_code, reply.headers["x-kagami-provider"]) == (200, "b"), script
        assert "x-kagami-retry" not in reply.headers
        first, second = rig.control.closed(request_id, 2)
        assert first.code == (
            "provider_timeout" if script.hang else "rate_limit_exceeded" if script.status == 429 else "provider_error"
        )
        assert (first.final, first.provider, second.final, second.provider) == (False, "a", True, "b")
        assert NAME not in b.received[-1].body.decode()


async def test_when_every_provider_fails_the_client_gets_openai_s_error_shape(rig, a, b, client):
    request_id = new_id()
    a.script = Script(status=500, pieces=[f'{{"error":{{"message":"about {NAME}"}}}}'.encode()])
    b.script = Script(status=429, headers={"retry-after": "7", "x-request-id": "prov-1"})
    reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(request_id))
    assert reply.status_code == 429
    assert reply.json()["error"]["code"] == "rate_limit_exceeded"
    assert (reply.headers["retry-after"], reply.headers["x-kagami-request-id"]) == ("7", request_id)
    assert "x-request-id" not in reply.headers
    assert [closed.final for closed in rig.control.closed(request_id, 2)] == [False, True]


async def test_a_dead_provider_is_followed_by_the_next_and_then_by_an_error(rig, client):
    request_id = new_id()
    reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(request_id))
    assert (reply.status_code, reply.json()["error"]["code"]) == (502, "provider_error")
    assert [closed.provider_status for closed in rig.control.closed(request_id, 2)] == [0, 0]


async def test_a_refusal_of_the_provider_reaches_the_client_in_our_words(rig, a, client):
    problem = {"error": {"message": f"about {NAME}", "code": "context_length_exceeded", "param": "messages"}}
    a.script = Script(status=400, pieces=[orjson.dumps(problem)])
    reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(new_id()))
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "context_length_exceeded"
    assert NAME not in reply.text


async def test_a_blocked_request_reaches_no_provider(rig, a, client):
    request_id = new_id()
    reply = await client.post(rig.url, json=chat(f"電話は{PHONE}です。"), headers=rig.decision(request_id, "blocking"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "pii_blocked")
    assert a.received == []
    [closed] = rig.control.closed(request_id)
    assert (closed.outcome, closed.final) == (Outcome.OUTCOME_BLOCKED, True)


async def test_a_blocked_answer_is_an_error_and_in_a_stream_an_error_event(rig, a, client):
    a.script = Script([completion(f"電話は{PHONE}です。")])
    reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(new_id(), "blocking"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "pii_blocked")
    a.script = Script(
        [delta(f"電話は{PHONE}です。よろしく。"), delta(finish="stop"), DONE], headers=STREAMING, pause=0.05
    )
    body = b""
    try:
        async with client.stream(
            "POST", rig.url, json=chat("やあ", stream=True), headers=rig.decision(new_id(), "blocking")
        ) as streamed:
            async for piece in streamed.aiter_raw():
                body += piece
    except httpx.TransportError:
        pass
    assert b'"code":"pii_blocked"' in body
    assert PHONE.encode() not in body
    assert b"[DONE]" not in body


async def test_the_decision_must_be_there_and_name_this_hop(rig, a, client):
    for headers in ({}, {"x-kagami-exchange": "AAAA"}, rig.decision(new_id(), providers="ba")):
        reply = await client.post(rig.url, json=chat("やあ"), headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (500, "gateway_error")
    assert a.received == []


async def test_an_unknown_policy_version_is_refused_after_a_moment(rig, a, client):
    rig.policies["later"] = policy_pb2.RedactionPolicy(name="later", version="later-9")
    reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(new_id(), "later"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "redaction_unavailable")
    assert a.received == []


async def test_invalid_requests_name_the_field(rig, a, client):
    reply = await client.post(
        rig.url, json={"model": "m", "messages": [{"role": "user", "content": 7}]}, headers=rig.decision(new_id())
    )
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "messages[0].content")
    assert a.received == []


async def test_a_compressed_answer_is_read_and_an_unreadable_one_refused(rig, a, b, client):
    plain = completion(f"電話は{NEW}です。")
    a.script = Script([gzip.compress(plain)], headers={"content-type": "application/json", "content-encoding": "gzip"})
    reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(new_id()))
    assert reply.json()["choices"][0]["message"]["content"] == "電話は<PHONE_NUMBER_1>です。"
    a.script = Script([plain], headers={"content-type": "application/json", "content-encoding": "br"})
    b.script = a.script
    reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(new_id()))
    assert (reply.status_code, reply.json()["error"]["code"]) == (502, "provider_error")


async def test_when_the_client_leaves_the_provider_is_cancelled_and_what_was_used_is_settled(rig, a, client):
    request_id = new_id()
    a.script = Script([delta("長い話です。" * 20)] * 200, headers=STREAMING, pause=0.05)
    async with client.stream(
        "POST", rig.url, json=chat("やあ", stream=True), headers=rig.decision(request_id)
    ) as reply:
        async for _ in reply.aiter_raw():
            break
    await asyncio.wait_for(a.received[0].closed.wait(), 2)
    [closed] = rig.control.closed(request_id)
    assert (closed.outcome, closed.final, closed.usage.reported) == (Outcome.OUTCOME_CLIENT_CANCELLED, True, False)
    assert closed.usage.output_tokens > 0
    assert closed.cost_pico_usd > 0


async def test_a_five_megabyte_request_and_answer_pass(rig, a, client):
    a.script = Script([completion("は" * 1_600_000)])
    reply = await client.post(rig.url, json=chat("あ" * 1_700_000), headers=rig.decision(new_id(), "off"))
    assert reply.status_code == 200
    assert len(reply.json()["choices"][0]["message"]["content"]) == 1_600_000
    assert len(a.received[0].body) > 5_000_000


async def test_a_long_prompt_is_scanned_without_stalling_others(rig, a, client):
    a.script = Script([completion("はい")])
    long = client.post(rig.url, json=chat("今日は良い天気です。" * 8_000 + PHONE), headers=rig.decision(new_id()))
    task = asyncio.create_task(long)
    await asyncio.sleep(0.1)
    short = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(new_id()))
    assert short.status_code == 200
    reply = await task
    assert reply.status_code == 200
    assert PHONE not in a.received[-1].body.decode()


async def test_a_chunked_request_passes_with_its_length(rig, a, client):
    async def pieces():
        for piece in (b'{"model":"m","messages":[{"role":"user",', f'"content":"{NAME}"}}]}}'.encode()):
            yield piece

    a.script = Script([completion("はい")])
    headers = {**rig.decision(new_id()), "content-type": "application/json"}
    reply = await client.post(rig.url, content=pieces(), headers=headers)
    assert reply.status_code == 200
    assert NAME not in a.received[0].body.decode()
    assert "transfer-encoding" not in a.received[0].headers


async def test_a_truncated_stream_ends_with_an_error_event(rig, a, client):
    a.script = Script([delta("途中です。")], headers=STREAMING)
    reply = await client.post(rig.url, json=chat("やあ", stream=True), headers=rig.decision(new_id()))
    assert b'"code":"provider_error"' in reply.content
    assert b"[DONE]" not in reply.content


async def test_two_choices_and_tool_calls_are_lanes_of_their_own(rig, a, client):
    def call(piece, index):
        return {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

    events = [delta(f"電話は{NEW[:6]}", index=0), delta(f"電話は{PHONE[:7]}", index=1), delta(f"{NEW[6:]}。", index=0)]
    events += [delta(f"{PHONE[7:]}。", index=1), delta(index=0, finish="stop"), delta(index=1, finish="stop")]
    args = orjson.dumps({"tel": NEW}).decode()
    events += [
        delta(index=2, **call(args[:9], 0)),
        delta(index=2, **call(args[9:], 0)),
        delta(index=2, finish="tool_calls"),
    ]
    a.script = Script([*events, DONE], headers=STREAMING)
    reply = await client.post(rig.url, json=chat("やあ", stream=True, n=3), headers=rig.decision(new_id()))
    assert {content(reply.content, 0), content(reply.content, 1)} == {
        "電話は<PHONE_NUMBER_1>。",
        "電話は<PHONE_NUMBER_2>。",
    }
    chunks = [orjson.loads(line[6:]) for line in reply.content.split(b"\n") if line.startswith(b"data: {")]
    calls = [c for chunk in chunks for choice in chunk["choices"] for c in choice["delta"].get("tool_calls", [])]
    arguments = orjson.loads("".join(c["function"]["arguments"] for c in calls))
    assert arguments["tel"].startswith("<PHONE_NUMBER_")


async def test_an_event_without_choices_passes_and_its_text_is_redacted(rig, a, client):
    odd = event({"choices": [], "note": f"電話は{NEW}です。"})
    a.script = Script([odd, delta("はい"), delta(finish="stop"), DONE], headers=STREAMING)
    reply = await client.post(rig.url, json=chat("やあ", stream=True), headers=rig.decision(new_id()))
    assert NEW.encode() not in reply.content
    assert content(reply.content) == "はい"


async def read_and_signal(request, pieces, workers, number):
    """Read a stream to its end, sending a signal to the workers after its first piece."""
    async with request as reply:
        async for piece in reply.aiter_raw():
            pieces.append(piece)
            for worker in workers if len(pieces) == 1 else ():
                os.kill(worker, number)


async def test_a_worker_that_is_killed_in_a_stream_leaks_nothing_and_leaves_a_record(rig, a, client):
    request_id = new_id()
    a.script = Script([delta(f"担当は{NAME}です。電話は{NEW}です。" * 3)] * 100, headers=STREAMING, pause=0.05)
    request = client.stream("POST", rig.url, json=chat("やあ", stream=True), headers=rig.decision(request_id))
    pieces = []
    with pytest.raises(httpx.TransportError):
        await read_and_signal(request, pieces, rig.workers(), signal.SIGKILL)
    body = b"".join(pieces)
    assert body
    assert NAME not in body.decode(errors="replace")
    assert NEW not in body.decode(errors="replace")
    rig.wait_until_serving()
    [closed] = rig.control.closed(request_id)
    assert closed.outcome == Outcome.OUTCOME_WORKER_LOST
    a.script = Script([completion("はい")])
    for _ in range(20):
        reply = await client.post(rig.url, json=chat("やあ"), headers=rig.decision(new_id()))
        assert reply.status_code == 200


async def test_a_stream_that_runs_when_the_worker_is_told_to_stop_is_finished(rig, a, client):
    request_id = new_id()
    a.script = Script([*[delta("はい。")] * 20, delta(finish="stop"), DONE], headers=STREAMING, pause=0.05)
    request = client.stream("POST", rig.url, json=chat("やあ", stream=True), headers=rig.decision(request_id))
    pieces = []
    await read_and_signal(request, pieces, rig.workers(), signal.SIGTERM)
    body = b"".join(pieces)
    assert content(body) == "はい。" * 20
    assert b"[DONE]" in body
    rig.wait_until_serving()
    [closed] = rig.control.closed(request_id)
    assert closed.outcome == Outcome.OUTCOME_COMPLETED
