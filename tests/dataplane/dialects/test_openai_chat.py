from __future__ import annotations

import orjson
import pytest
from support.redactor import run

from dataplane.dialects import slots
from dataplane.dialects.model import Measure
from dataplane.dialects.openai_chat import OpenAiChat
from dataplane.errors import InvalidRequest, ProviderError

CHAT = OpenAiChat()


def body(**fields):
    return orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "やあ"}], **fields})


def sent(request, model="p-model", most=0):
    return orjson.loads(request.encode(model, most))


def test_unknown_fields_survive_and_the_model_is_the_providers():
    request = CHAT.request(body(new_thing={"a": [1, None]}, temperature=0.2))
    assert sent(request) == {
        "model": "p-model",
        "messages": [{"role": "user", "content": "やあ"}],
        "new_thing": {"a": [1, None]},
        "temperature": 0.2,
    }


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False, "other": 1}])
def test_usage_is_always_asked_of_a_streaming_provider(options):
    request = CHAT.request(body(stream=True, stream_options=options))
    assert sent(request)["stream_options"] == {**(options or {}), "include_usage": True}
    assert not request.wants_usage


def test_a_client_may_ask_for_usage_itself():
    assert CHAT.request(body(stream=True, stream_options={"include_usage": True})).wants_usage


def test_a_request_that_does_not_stream_gets_no_stream_options():
    assert "stream_options" not in sent(CHAT.request(body()))


@pytest.mark.parametrize(
    ("fields", "most", "expected"),
    [
        ({}, 100, {"max_completion_tokens": 100}),
        ({"max_tokens": 50}, 100, {"max_tokens": 50}),
        ({"max_tokens": 500}, 100, {"max_tokens": 100}),
        ({"max_completion_tokens": 500, "n": 4}, 100, {"max_completion_tokens": 25}),
        ({"n": 4}, 2, {"max_completion_tokens": 1}),
        ({"max_tokens": 500}, 0, {"max_tokens": 500}),
    ],
)
def test_output_is_clamped_to_what_the_budget_leaves(fields, most, expected):
    made = sent(CHAT.request(body(**fields)), most=most)
    assert {name: made[name] for name in ("max_tokens", "max_completion_tokens") if name in made} == expected


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 7}, "model"),
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "user"}, {"role": 1}]}, "messages[1].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"seed": "佐藤"}, "seed"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(InvalidRequest) as caught:
        CHAT.request(body(**fields))
    assert caught.value.param == param
    assert f"'{param}'" in caught.value.message


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"model":"\\ud800"}', b"nul"])
def test_what_is_no_json_object_is_refused(data):
    with pytest.raises(InvalidRequest):
        CHAT.request(data)


def test_of_repeated_keys_the_provider_sees_the_one_the_gateway_read():
    data = b'{"model":"m","messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}'
    request = CHAT.request(data)
    assert run(request.texts()).texts == ["b"]
    assert sent(request)["messages"] == [{"role": "user", "content": "b"}]


def test_texts_go_back_where_they_came_from():
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":"x"}'}}]
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "name": "taro", "content": [{"type": "text", "text": "t"}]},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": "r"},
    ]
    request = CHAT.request(body(messages=messages, stop=["z"]))
    found = run(request.texts())
    assert found.texts == ["s", "taro", "t", '{"a":"x"}', "r", "z"]
    assert found.json == {3}
    request.replace([text.upper() for text in found.texts])
    made = sent(request)
    assert made["messages"][0]["content"] == "S"
    assert made["messages"][1]["content"][0]["text"] == "T"
    assert made["messages"][2]["tool_calls"][0]["id"] == "call_1"
    assert made["messages"][2]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"A":"X"}'}
    assert made["stop"] == ["Z"]


def test_a_placeholder_in_a_participants_name_loses_its_brackets():
    request = CHAT.request(body(messages=[{"role": "user", "name": "佐藤", "content": "a"}]))
    run(request.texts())
    request.replace(["<PERSON_1>", "a"])
    assert sent(request)["messages"][0]["name"] == "PERSON_1"


def test_no_part_of_a_request_is_left_out_but_what_holds_no_words():
    fields = {"stream": True, "stream_options": {"note": "a"}, "metadata": {"seed": 123456789018}, "seed": 123456789018}
    assert sorted(run(CHAT.request(body(**fields)).texts()).texts) == ["123456789018", "a", "やあ"]


def test_an_answer_that_is_to_be_spoken_cannot_be_inspected():
    request = CHAT.request(body(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}))
    run(request.texts())
    assert request.uninspected == 1


def test_a_released_request_keeps_what_the_answer_needs_and_no_text():
    request = CHAT.request(body(stream=True, stream_options={"include_usage": True}))
    run(request.texts())
    request.release()
    assert (request.stream, request.wants_usage, request.measure) == (True, True, Measure(2, 2))
    assert run(request.texts()).texts == []


def test_pictures_do_not_count_as_text():
    content = [{"type": "text", "text": "見て"}, {"type": "image_url", "image_url": {"url": "data:" + "A" * 9999}}]
    request = CHAT.request(body(messages=[{"role": "user", "content": content}]))
    assert request.measure == Measure(2, 2)
    run(request.texts())
    assert request.uninspected == 1


def answer(**fields):
    message = {"role": "assistant", "content": "はい", **fields.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **fields.pop("choice", {})}
    return orjson.dumps({"id": "chatcmpl-1", "model": "m", "created": 1700000000, "choices": [choice], **fields})


def test_an_answer_nobody_changed_is_the_providers_own_bytes():
    data = b' {"choices": [ ], "x":1.50}'
    assert CHAT.answer(data).encode() == data


def test_log_probabilities_are_dropped_for_they_repeat_the_text():
    probable = {"content": [{"token": "佐藤", "bytes": [1], "logprob": -1.0, "top_logprobs": []}]}
    parsed = CHAT.answer(answer(choice={"logprobs": probable}))
    texts = run(parsed.texts()).texts
    parsed.replace(texts)
    assert texts == ["はい"]
    assert orjson.loads(parsed.encode())["choices"][0]["logprobs"] is None


def test_reasoning_refusals_annotations_and_tool_arguments_of_an_answer_are_text():
    message = {
        "refusal": "r",
        "reasoning_content": "c",
        "annotations": [{"type": "url_citation", "url_citation": {"title": "t"}}],
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    found = run(CHAT.answer(answer(message=message)).texts())
    assert sorted(found.texts) == sorted(["はい", "r", "c", "t", "{}"])


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b"{}", b'{"choices":{}}', b'{"choices":[7]}', b'{"error":{"message":"x"}}']
)
def test_an_answer_without_choices_is_a_failure_of_the_provider(data):
    with pytest.raises(ProviderError):
        CHAT.answer(data)


def test_what_is_nested_deeper_than_can_be_written_is_the_askers_or_the_providers_fault():
    nested = b"[" * 500 + b"]" * 500
    request = CHAT.request(b'{"model":"m","messages":[{"role":"user"}],"x":' + nested + b"}")
    with pytest.raises(InvalidRequest):
        request.encode("m", 0)
    answer = CHAT.answer(b'{"choices":[],"x":' + nested + b"}")
    with pytest.raises(ProviderError):
        answer.replace(run(answer.texts()).texts)


def test_too_many_values_are_the_askers_or_the_providers_fault():
    many = b"[" + b",".join([b"1"] * (slots.MOST_VALUES + 1)) + b"]"
    with pytest.raises(InvalidRequest):
        run(CHAT.request(b'{"model":"m","messages":[{"role":"user"}],"x":' + many + b"}").texts())
    with pytest.raises(ProviderError):
        run(CHAT.answer(b'{"choices":[],"x":' + many + b"}").texts())
