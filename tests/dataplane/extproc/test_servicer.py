from __future__ import annotations

import asyncio
from types import SimpleNamespace

import orjson
import pytest
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Outcome
from support.exchange import LINK, context, request_body, request_headers, response_headers, session, stream_headers
from support.provider import DONE, completion, delta
from support.redactor import policy

from dataplane.exchange import events as ev
from dataplane.extproc.pace import Pace
from dataplane.extproc.servicer import NoBudget, Services, StreamAborted, Timing, process


class Journal:
    def __init__(self, *, broken=False, sync_seconds=0.0):
        self.entries, self.held, self.released, self.synced = [], [], [], []
        self.broken, self.sync_seconds = broken, sync_seconds
        self.here = []

    def append(self, entry):
        if self.broken:
            raise OSError(28, "No space left on device")
        self.entries.append(AuditEntry.FromString(entry))
        return SimpleNamespace(seq=len(self.entries), link=LINK)

    async def durable(self, seq, *, here=False):
        self.here.append(here)
        await asyncio.sleep(self.sync_seconds)
        self.synced.append(seq)

    def hold(self, seq):
        self.held.append(seq)

    def release(self, seq):
        self.released.append(seq)

    @property
    def kinds(self):
        return [entry.WhichOneof("event") for entry in self.entries]


class Policies:
    def __init__(self, found=None, seconds=0.0):
        self.found, self.seconds = found or ev.PolicyFound(policy()), seconds

    async def find(self, name, version):
        await asyncio.sleep(self.seconds)
        return self.found


class Envoy:
    """Feeds messages one by one, each after the reply to the one before; None cancels."""

    def __init__(self, *messages):
        self.messages, self.replies = messages, []
        self.answered = asyncio.Event()

    async def __aiter__(self):
        for message in self.messages:
            if message is None:
                raise asyncio.CancelledError
            self.answered.clear()
            yield message
            await asyncio.wait_for(self.answered.wait(), 5)

    async def send(self, reply):
        self.replies.append(reply)
        if reply.WhichOneof("response") is not None:
            self.answered.set()

    @property
    def kinds(self):
        return [reply.WhichOneof("response") or "more_time" for reply in self.replies]


def message(event):
    match event:
        case ev.RequestHeaders():
            return pb.ProcessingRequest(request_headers=_head(event.headers, end=event.end))
        case ev.RequestBody():
            return pb.ProcessingRequest(request_body=pb.HttpBody(body=event.data, end_of_stream=True))
        case ev.ResponseHeaders():
            return pb.ProcessingRequest(response_headers=_head(event.headers))
        case ev.ResponseBody():
            return pb.ProcessingRequest(response_body=pb.HttpBody(body=event.data, end_of_stream=event.end))


def _head(headers, *, end=False):
    values = [HeaderValue(key=k, raw_value=v) for k, v in headers.items()]
    return pb.HttpHeaders(headers=HeaderMap(headers=values), end_of_stream=end)


class Rig:
    def __init__(self, journal=None, policies=None, timing=Timing(), new_session=session, budget=None):
        self.journal = journal or Journal()
        self.reports = []
        self.services = Services(
            new_session=new_session,
            journal=self.journal,
            policies=policies or Policies(),
            now=lambda: 1,
            report=lambda error, request_id: self.reports.append((type(error).__name__, request_id)),
            pace=Pace(),
            timing=timing,
            budget=budget or NoBudget(),
        )

    async def run(self, *events):
        self.envoy = Envoy(*[message(event) if event is not None else None for event in events])
        await process(self.envoy.__aiter__(), self.envoy.send, "a", self.services)
        return self.envoy.kinds


WHOLE = (request_headers(), request_body(), response_headers(), ev.ResponseBody(completion("はい"), end=True))


async def test_every_message_gets_one_reply_in_order():
    rig = Rig()
    assert await rig.run(*WHOLE) == ["request_headers", "request_body", "response_headers", "response_body"]
    assert rig.journal.kinds == ["opened", "closed"]
    assert rig.journal.synced == [2]
    assert (rig.journal.held, rig.journal.released) == ([1], [1])
    assert rig.services.pace.streams == 0


async def test_the_body_is_asked_for_before_anything_else_is_done():
    seen = []

    class Watched(Policies):
        async def find(self, name, version):
            seen.append(rig.envoy.kinds)
            return await super().find(name, version)

    rig = Rig(policies=Watched())
    await rig.run(request_headers())
    assert seen == [["request_headers"]]


async def test_a_body_behind_refused_headers_is_neither_read_nor_answered():
    for refused in (request_headers(), ev.RequestHeaders({}, "a")):
        rig = Rig(policies=Policies(ev.PolicyFound(None)))
        rig.envoy = envoy = Envoy()

        async def both(refused=refused):
            yield message(refused)
            yield message(request_body())

        await process(both(), envoy.send, "a", rig.services)
        assert envoy.kinds == ["request_headers", "immediate_response"]
        assert "opened" not in rig.journal.kinds
        assert rig.reports == []


async def test_no_body_is_asked_for_where_none_follows():
    rig = Rig()
    headers = request_headers()
    assert await rig.run(ev.RequestHeaders(headers.headers, headers.provider, end=True)) == ["immediate_response"]
    assert rig.envoy.replies[0].immediate_response.status.code == 400
    assert rig.journal.kinds == ["closed"]


async def test_a_stream_that_is_cancelled_is_settled_and_stays_cancelled():
    rig = Rig()
    with pytest.raises(asyncio.CancelledError):
        await rig.run(
            request_headers(),
            request_body(stream=True),
            stream_headers(),
            ev.ResponseBody(delta("は"), end=False),
            None,
        )
    assert rig.journal.kinds == ["opened", "closed"]
    assert rig.journal.entries[1].closed.outcome == Outcome.OUTCOME_CLIENT_CANCELLED
    assert rig.journal.released == [1]


async def test_a_stream_that_ends_early_is_settled():
    rig = Rig()
    await rig.run(request_headers(), request_body())
    assert rig.journal.kinds == ["opened", "closed"]


async def test_a_fault_never_ends_the_stream_cleanly():
    rig = Rig()
    rig.envoy = envoy = Envoy(pb.ProcessingRequest(request_trailers=pb.HttpTrailers()))
    with pytest.raises(StreamAborted):
        await process(envoy.__aiter__(), envoy.send, "a", rig.services)
    assert rig.reports == [("UnexpectedMessage", "")]


async def test_a_broken_session_never_ends_the_stream_cleanly():
    class Broken:
        request_id = "r-9"

        def receive(self, event, now):
            if isinstance(event, ev.StreamClosed):
                return []
            raise AssertionError("bug")

    rig = Rig(new_session=Broken)
    with pytest.raises(StreamAborted):
        await rig.run(request_headers())
    assert rig.reports == [("AssertionError", "r-9")]


class Budget:
    def __init__(self, *answers, seconds=0.0):
        self.answers, self.seconds, self.asked = list(answers), seconds, []

    async def extend(self, asked):
        self.asked.append(asked)
        await asyncio.sleep(self.seconds)
        return self.answers.pop(0) if self.answers else ev.MoreAnswered()


PAID = (request_headers(context(paid_output_tokens=64)), request_body(stream=True), stream_headers())
TEN = ev.ResponseBody(delta("あ" * 10), end=False)
ENDED = (ev.ResponseBody(delta(finish="stop") + DONE, end=False), ev.ResponseBody(b"", end=True))


async def test_more_is_asked_for_in_the_background_and_no_piece_waits_for_it():
    granted = ev.MoreAnswered(500, "e1", "cp|more")
    rig = Rig(budget=Budget(granted, seconds=0.01))
    pieces = [TEN] * 5
    assert await rig.run(*PAID, *pieces, *ENDED) == [
        "request_headers", "request_body", "response_headers", *["response_body"] * 7,
    ]  # fmt: skip
    assert len(rig.services.budget.asked) == 1
    assert rig.journal.entries[-1].closed.outcome == Outcome.OUTCOME_COMPLETED


async def test_a_stream_waits_only_when_nothing_is_left_and_asks_envoy_for_time():
    granted = ev.MoreAnswered(500, "e1", "cp|more")
    rig = Rig(budget=Budget(granted, seconds=0.2), timing=Timing(patience=0.05))
    kinds = await rig.run(*PAID, *[TEN] * 9, *ENDED)
    assert kinds.count("more_time") == 1
    assert rig.journal.kinds == ["opened", "extended", "closed"]
    assert rig.journal.entries[-1].closed.extensions[0].reservation_id == "cp|more"


async def test_a_stream_that_gets_no_more_is_cut_and_then_aborted():
    rig = Rig()
    with pytest.raises(StreamAborted, match="broken off"):
        await rig.run(*PAID, *[TEN] * 9)
    assert rig.journal.entries[-1].closed.outcome == Outcome.OUTCOME_QUOTA_CUT
    assert rig.journal.synced == [2]
    body = rig.envoy.replies[-1].response_body.response.body_mutation.body
    assert b'"finish_reason":"length"' in body
    assert b"[DONE]" in body


async def test_a_client_that_leaves_takes_the_question_with_it():
    rig = Rig(budget=Budget(seconds=60))
    with pytest.raises(asyncio.CancelledError):
        await rig.run(*PAID, *[TEN] * 5, None)
    assert rig.journal.entries[-1].closed.outcome == Outcome.OUTCOME_CLIENT_CANCELLED
    assert [task for task in asyncio.all_tasks() if "extend" in repr(task.get_coro()) and not task.cancelling()] == []


async def test_after_an_error_event_the_rest_of_the_stream_is_aborted():
    rig = Rig()
    bad = ev.ResponseBody(b"data: {\n\n", end=False)
    with pytest.raises(StreamAborted, match="broken off"):
        await rig.run(request_headers(), request_body(stream=True), stream_headers(), bad, bad)
    assert b"provider_error" in rig.envoy.replies[3].response_body.response.body_mutation.body


async def test_a_journal_that_fails_is_reported_and_answered():
    rig = Rig(Journal(broken=True))
    assert await rig.run(request_headers(), request_body()) == ["request_headers", "immediate_response"]
    reply = rig.envoy.replies[1].immediate_response
    assert (reply.status.code, orjson.loads(reply.body)["error"]["code"]) == (503, "audit_unavailable")
    assert rig.reports[0] == ("OSError", "r-1")


async def test_waiting_for_a_policy_or_the_disk_asks_envoy_for_more_time_once():
    timing = Timing(patience=0.01, longest=9)
    kinds = await Rig(policies=Policies(seconds=0.05), timing=timing).run(*WHOLE)
    assert kinds == ["request_headers", "more_time", "request_body", "response_headers", "response_body"]
    kinds = await Rig(Journal(sync_seconds=0.05), timing=timing).run(*WHOLE)
    assert kinds == ["request_headers", "request_body", "response_headers", "more_time", "response_body"]


async def test_long_work_asks_for_more_time_and_gives_up_in_the_end():
    def slow(text):
        import time

        time.sleep(0.01)
        return []

    long = request_body("これは長い文章です。" * 1000)
    made = lambda: session(detector=slow)  # noqa: E731
    kinds = await Rig(timing=Timing(patience=0.02, longest=9), new_session=made).run(request_headers(), long)
    assert kinds == ["request_headers", "more_time", "request_body"]
    rig = Rig(timing=Timing(patience=9, longest=0.02), new_session=made)
    assert await rig.run(request_headers(), long) == ["request_headers", "immediate_response"]
    assert orjson.loads(rig.envoy.replies[1].immediate_response.body)["error"]["code"] == "redaction_unavailable"


async def test_the_disk_is_waited_for_here_only_while_few_streams_are_open():
    rig = Rig()
    await rig.run(*WHOLE)
    rig.services.pace.streams = 100
    await rig.run(*WHOLE)
    assert rig.journal.here == [True, False]


async def test_the_last_bytes_of_a_stream_come_after_the_disk():
    rig = Rig(Journal(sync_seconds=0.02))
    await rig.run(
        request_headers(),
        request_body(stream=True),
        stream_headers(),
        ev.ResponseBody(delta("は", finish="stop") + DONE, end=False),
    )
    body = rig.envoy.replies[-1].response_body.response.body_mutation.body
    assert body.endswith(f": kagami seq=2 link={LINK.hex()}\n\n".encode())
    assert rig.journal.synced == [2]
