"""Detection through the whole stack: our own labelled documents as prompts and as streamed answers, a tenant's own
recognizers and terms, and a very long prompt beside other people's streams.

`KNOWN` lists what the engine is known to let through of these hundred documents. It is compared exactly: a new miss
fails the test, and so does one that no longer happens; then its line goes.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import openai
import pytest
from support.corpus import Document, documents
from support.stack import KEY, Gateway, Route, kagami

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

Miss = tuple[str, str, str, str]
"""Document, entity, labelled text, the letters and digits of it that came through."""

KNOWN_IN_PROMPTS: set[Miss] = {
    ("own-035", "PERSON", "ともちゃん", "ちゃん"),
}
KNOWN_IN_ANSWERS: set[Miss] = set()

PLACEHOLDER = re.compile(r"<[A-Z_]+_[0-9]+>")
LABELLED = [document for document in documents() if any(mark.entity for mark in document.marks)]
PROMPTS, ANSWERS = LABELLED[:50], LABELLED[50:100]


def misses(document: Document, seen: str) -> set[Miss]:
    """What of a document's labelled stretches shows in its redacted form."""
    shown = _shown(document.text, seen)
    found: set[Miss] = set()
    for mark in document.marks:
        letters = [p for p in range(mark.start, mark.end) if p in shown and document.text[p].isalnum()]
        if mark.entity and letters:
            passed = "".join(document.text[p] for p in letters)
            found.add((document.id, mark.entity, document.text[mark.start : mark.end], passed))
    return found


def _shown(text: str, seen: str) -> set[int]:
    """Places of `text` that `seen` shows: everything but what its placeholders stand for."""
    clear = PLACEHOLDER.split(seen)
    aligned = re.fullmatch(".+?".join(f"({re.escape(piece)})" for piece in clear), text, re.DOTALL)
    assert aligned, f"not the document with parts replaced: {seen!r}"
    return {place for group in range(1, len(clear) + 1) for place in range(*aligned.span(group))}


def test_the_alignment_tells_what_shows() -> None:
    [document] = [d for d in documents() if d.id == "own-001"]
    assert misses(document, document.text)
    name = next(mark for mark in document.marks if mark.entity == "PERSON")
    hidden = document.text[: name.start] + "<PERSON_1>" + document.text[name.end :]
    assert document.text[name.start : name.end] not in {miss[2] for miss in misses(document, hidden)}


def test_nothing_labelled_in_a_prompt_reaches_the_provider(gateway: Gateway) -> None:
    route = gateway.route({"content": "はい。"})
    assert len(PROMPTS) == 50
    with gateway.stack.http() as http:
        for document in PROMPTS:
            reply = http.post("/chat/completions", json=route.body(document.text))
            assert reply.status_code == 200, reply.text
    received = [json.loads(record["body"])["messages"][0]["content"] for record in route.records()]
    assert len(received) == 50
    found = set().union(*(misses(document, seen) for document, seen in zip(PROMPTS, received, strict=True)))
    assert found == KNOWN_IN_PROMPTS


def test_nothing_labelled_in_a_streamed_answer_reaches_the_client(gateway: Gateway) -> None:
    route = gateway.route()
    found: set[Miss] = set()
    assert len(ANSWERS) == 50
    with openai.OpenAI(base_url=f"{gateway.stack.url}/v1", api_key=KEY, max_retries=0) as client:
        for number, document in enumerate(ANSWERS):
            cut = {"chunk_chars": 1 + number % 7, "split_bytes": (0, 61, 17, 7)[number % 4]}
            gateway.simulator.order(provider=route.providers[0], content=document.text, **cut)
            with client.chat.completions.create(
                model=route.model, messages=[{"role": "user", "content": "続けてください"}], stream=True
            ) as stream:
                seen = "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
            found |= misses(document, seen)
    assert found == KNOWN_IN_ANSWERS


POLICY = """
policies:
  - name: NAME
    enabled: true
    rules:
      - {entity: "*", request: pseudonym, response: replace}
      - {entity: LOYALTY_CARD, request: mask, response: mask}
      - entity: PHONE_NUMBER
        request: operator
        response: operator
        operator: {name: mask, masking_char: "#", chars_to_mask: 4, from_end: true}
    allow_terms: ["佐藤美咲"]
    deny_terms: ["オーロラ計画"]
    allow_patterns: ['info-[a-z]{2,8}@example[.]com']
    deny_patterns: ["PRJ-[0-9]{4}"]
    recognizers:
      - {entity: LOYALTY_CARD, pattern: "PATTERN", context: ["会員"], checksum: luhn}
tenants:
  - {name: NAME, policy: NAME}
keys:
  - {tenant: NAME, name: app, secret: "env:OWN_KEY", models: ["*"]}
"""
PATTERN = "KM-[0-9]{4}-[0-9]{4}"


@contextmanager
def own_tenant(gateway: Gateway, route: Route) -> Iterator[httpx.Client]:
    """A tenant with a policy of its own, live everywhere."""
    name, key = f"t{uuid.uuid4().hex[:10]}", f"sk-own-{uuid.uuid4().hex}"
    gateway.stack.apply(POLICY.replace("NAME", name).replace("PATTERN", PATTERN), env={"OWN_KEY": key})
    with gateway.stack.http(key) as http:
        answered, deadline = 0, time.monotonic() + 10
        while answered < 4:
            reply = http.post("/chat/completions", json=route.body("."))
            answered = answered + 1 if reply.status_code == 200 else 0
            assert time.monotonic() < deadline, reply.text
            time.sleep(0.01)
        yield http


def test_a_tenants_own_recognizer_and_terms_are_obeyed_both_ways(gateway: Gateway) -> None:
    # 1234-5674 passes Luhn, 1234-5678 does not; without 会員 nearby a number stays a number.
    text = "会員 ＫＭ-1234-5674、会員 KM-1234-5678、佐藤美咲と高橋健一のオーロラ計画。" + "あ" * 80 + "KM-1234-5674"
    expected = "会員 **-****-****、会員 KM-1234-5678、佐藤美咲と<PERSON_1>の{}。" + "あ" * 80 + "KM-1234-5674"
    route = gateway.route()
    with own_tenant(gateway, route) as http:
        gateway.simulator.order(provider=route.providers[0], content=text)
        reply = http.post("/chat/completions", json=route.body(text))
    sent = json.loads(route.records()[-1]["body"])["messages"][0]["content"]
    denied = re.search(r"<[A-Z_]+_1>(?=。)", sent)
    assert denied, sent
    assert sent == expected.format(denied[0])
    # The provider's own mention of them is redacted anew: numbered on, and not restored.
    received = reply.json()["choices"][0]["message"]["content"]
    assert re.sub(r"_\d+>", "_1>", received) == sent
    # Nobody else is bound by it.
    with gateway.stack.http() as other:
        other.post("/chat/completions", json=route.body("会員 KM-1234-5674"))
    assert json.loads(route.records()[-1]["body"])["messages"][0]["content"] == "会員 KM-1234-5674"


def test_a_tenants_patterns_and_operators_are_obeyed_on_prompts_and_streams(gateway: Gateway) -> None:
    text = "ＰＲＪ－００４２の窓口はinfo-tokyo@example.com、電話は090-1234-5678です。"
    route = gateway.route()
    with own_tenant(gateway, route) as http:
        gateway.simulator.order(provider=route.providers[0], content=text, chunk_chars=3)
        # The parts of the message cut the telephone number in two: each gives up its piece.
        cut = text.index("1234") + 4
        body = route.body("x", stream=True)
        body["messages"][0]["content"] = [{"type": "text", "text": part} for part in (text[:cut], text[cut:])]
        with http.stream("POST", "/chat/completions", json=body) as reply:
            events = [json.loads(line[6:]) for line in reply.iter_lines() if line.startswith("data: {")]
    received = "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])
    rest = "の窓口はinfo-tokyo@example.com、電話は"
    assert re.fullmatch(rf"<DENIED_TERM_\d>{rest}090-1234-####です。", received), received
    parts = [part["text"] for part in json.loads(route.records()[-1]["body"])["messages"][0]["content"]]
    assert parts == [f"<DENIED_TERM_1>{rest}090-####", "-####です。"]


def test_a_pattern_that_could_run_away_is_refused_when_applied(gateway: Gateway) -> None:
    text = POLICY.replace("NAME", "runaway").replace("PATTERN", "(a+)+$")
    env = {"OWN_KEY": f"sk-own-{uuid.uuid4().hex}"}
    done = kagami("apply", "-f", "-", "--state", str(gateway.stack.state), stdin=text, env=env)
    assert done.returncode == 1
    assert "policy 'runaway': recognizers[0].pattern: " in done.stderr


SENTENCES = (
    "今月の売上報告について三つの観点から整理してください。",
    "予算は三百万円ほど余っています。",
    "担当は高橋健一さんです。",
)


class Listener:
    """A client in the middle of a long answer, counting what arrives."""

    def __init__(self, http: httpx.Client, body: dict[str, Any]) -> None:
        self.chunks = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(http, body), daemon=True)
        self._thread.start()

    def _listen(self, http: httpx.Client, body: dict[str, Any]) -> None:
        with http.stream("POST", "/chat/completions", json=body) as reply:
            for line in reply.iter_lines():
                self.chunks += line.startswith("data: {")
                if self._ended.is_set():
                    return

    def wait(self, holds: Callable[[int], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not holds(self.chunks):
            assert time.monotonic() < deadline, f"{self.chunks} chunks"
            time.sleep(0.005)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_a_very_long_prompt_passes_while_other_streams_go_on(gateway: Gateway) -> None:
    talking = gateway.route({"content": "はい、承知しました。" * 2_000, "chunk_chars": 10, "interval_ms": 10})
    route = gateway.route({"content": "はい。"})
    prompt = "".join(f"{number}件目。{SENTENCES[number % 3]}" for number in range(20_000))[:200_000]
    with ExitStack() as stack:
        # Six streams over two workers: whichever reads the long prompt has others at hand.
        clients = [stack.enter_context(gateway.stack.http()) for _ in range(7)]
        listeners = [Listener(http, talking.body(stream=True)) for http in clients[1:]]
        for listener in listeners:
            stack.callback(listener.stop)
            listener.wait(lambda chunks: chunks > 5)
        before = [listener.chunks for listener in listeners]
        reply = clients[0].post("/chat/completions", json=route.body(prompt), timeout=120)
        went_on = [listener.chunks - count for listener, count in zip(listeners, before, strict=True)]
    assert reply.status_code == 200, reply.text
    sent = json.loads(route.records()[-1]["body"])["messages"][0]["content"]
    assert "高橋健一" not in sent
    assert sent.count("<PERSON_1>") == prompt.count("高橋健一")
    assert min(went_on) >= 10, went_on
