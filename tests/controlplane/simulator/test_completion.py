from __future__ import annotations

from typing import Any

import orjson

from controlplane.simulator import completion
from controlplane.simulator.behaviour import Behaviour
from controlplane.simulator.request import Request, tokens
from controlplane.simulator.request import read as read_request

HEAD = completion.Head("chatcmpl-1", 1_700_000_000)


def read(**fields: Any) -> Request:
    body = {"model": "sim-ja", "messages": [{"role": "user", "content": "予約をお願いします"}]} | fields
    return read_request(orjson.dumps(body))


def stream(request: Request, behaviour: Behaviour | None = None) -> list[dict[str, Any]]:
    behaviour = behaviour or Behaviour()
    choices = completion.choose(request, behaviour)
    usage = completion.count(request, choices, behaviour)
    return list(completion.chunks(request, choices, usage, behaviour, HEAD))


def whole(request: Request, behaviour: Behaviour | None = None) -> dict[str, Any]:
    behaviour = behaviour or Behaviour()
    choices = completion.choose(request, behaviour)
    return completion.body(request, choices, completion.count(request, choices, behaviour), HEAD)


def joined(chunks: list[dict[str, Any]], index: int, name: str) -> str:
    deltas = [c["delta"] for chunk in chunks for c in chunk["choices"] if c["index"] == index]
    return "".join(d.get(name) or "" for d in deltas)


def test_a_stream_says_what_the_whole_answer_says_for_every_choice() -> None:
    request = read(n=3, stream=True)
    body, chunks = whole(request), stream(request)
    texts = [choice["message"]["content"] for choice in body["choices"]]
    assert len(set(texts)) == 3
    assert [joined(chunks, index, "content") for index in range(3)] == texts
    assert [c["finish_reason"] for chunk in chunks[-3:] for c in chunk["choices"]] == ["stop"] * 3


def test_usage_ends_a_stream_only_when_asked_for() -> None:
    assert all("usage" not in chunk for chunk in stream(read(stream=True)))
    chunks = stream(read(stream=True, stream_options={"include_usage": True}))
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == whole(read())["usage"]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


def test_usage_may_be_told_with_every_event() -> None:
    chunks = stream(read(stream=True), Behaviour(content="あ" * 10, usage_so_far=True, prompt_tokens=7))
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks] == [0, 4, 8, 10, 10]
    assert {chunk["usage"]["prompt_tokens"] for chunk in chunks} == {7}


def test_a_limit_may_be_ignored() -> None:
    body = whole(read(max_tokens=5), Behaviour(content="あ" * 10, ignore_limit=True))
    assert (body["choices"][0]["finish_reason"], body["usage"]["completion_tokens"]) == ("stop", 10)


def test_tokens_are_counted_alike_everywhere() -> None:
    assert tokens("") == 0
    assert tokens("abcde") == 2
    assert tokens("日本 go") == 3
    usage = whole(read(), Behaviour(content="日本語", prompt_tokens=100, cached_tokens=60))["usage"]
    assert usage["completion_tokens"] == 3
    assert usage["total_tokens"] == 103
    assert usage["prompt_tokens_details"] == {"cached_tokens": 60}


TOOL = {
    "type": "function",
    "function": {
        "name": "register",
        "parameters": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "kind": {"enum": ["a", "b"]},
                "count": {"type": "integer"},
                "note": {"type": "string"},
            },
        },
    },
}


def test_an_offered_tool_is_called_with_personal_data_in_valid_json() -> None:
    request = read(tools=[TOOL], stream=True)
    message = whole(request)["choices"][0]["message"]
    call = message["tool_calls"][0]["function"]
    arguments = orjson.loads(call["arguments"])
    assert call["name"] == "register"
    assert arguments["name"] == "中村優子"
    assert arguments["kind"] == "a"
    assert "080-9876-5432" in arguments["note"]
    assert message["content"] is None
    fragments = [
        call["function"]["arguments"]
        for chunk in stream(request, Behaviour(chunk_chars=3))
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", [])
    ]
    assert "".join(fragments) == call["arguments"]


def test_behaviour_shapes_the_answer() -> None:
    assert whole(read(), Behaviour(content="はい"))["choices"][0]["message"]["content"] == "はい"
    echo = whole(read(), Behaviour(echo=True))["choices"][0]["message"]["content"]
    assert echo == "予約をお願いします"
    assert whole(read(), Behaviour(refusal="できません"))["choices"][0]["message"]["refusal"] == "できません"
    chunks = stream(read(stream=True), Behaviour(reasoning="考え中です", content="はい"))
    assert joined(chunks, 0, "reasoning_content") == "考え中です"
    assert len(whole(read(), Behaviour(huge_chars=1_001))["choices"][0]["message"]["content"]) == 1_001


def test_log_probabilities_repeat_the_text_when_asked_for() -> None:
    request = read(logprobs=True, stream=True)
    tokens = [
        token["token"]
        for chunk in stream(request)
        for choice in chunk["choices"]
        for token in (choice["logprobs"] or {"content": []})["content"]
    ]
    assert "".join(tokens) == whole(request)["choices"][0]["message"]["content"]


def test_a_limit_on_tokens_cuts_the_answer_and_says_so() -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        body = whole(read(**{name: 5}), Behaviour(content="日本語の長い文章です", completion_tokens=100))
        choice = body["choices"][0]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("日本語の長", "length")
        assert body["usage"]["completion_tokens"] == 5
    enough = whole(read(max_tokens=50), Behaviour(content="日本語"))
    assert enough["choices"][0]["finish_reason"] == "stop"
    thought = whole(read(max_tokens=4), Behaviour(content="日本語", reasoning="考えた"))["choices"][0]["message"]
    assert (thought["reasoning_content"], thought["content"]) == ("考えた", "日")
