from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chunking import cut, cuts
from support.provider import DONE, delta, event, usage
from support.redactor import NAME, redaction, run

from dataplane.dialects.model import TokenUsage
from dataplane.dialects.openai_stream import ChatStream
from dataplane.errors import ProviderError

PHONE = "090-1234-5678"


def stream(*, redact=True, show_usage=False, max_lanes=64):
    return ChatStream(redaction() if redact else None, show_usage=show_usage, max_lanes=max_lanes)


def feed(chat, *events):
    return b"".join(b"".join(run(chat.event(e.removeprefix(b"data: ").rstrip()))) for e in events)


def chunks(data):
    return [orjson.loads(line[6:]) for line in data.split(b"\n") if line.startswith(b"data: {")]


def joined(data, *path, index=0):
    """The text of one lane over all chunks; a number in the path picks the list element with that index."""
    text = ""
    for chunk in chunks(data):
        for choice in chunk["choices"]:
            if choice["index"] == index:
                text += _at(choice["delta"], path)
    return text


def _at(node, path):
    for step in path:
        if isinstance(step, int):
            node = next((item for item in node if item.get("index") == step), {})
        else:
            node = node.get(step, "" if step == path[-1] else {})
        if not node:
            return ""
    return node


def test_without_redaction_chunks_pass_byte_for_byte():
    events = [delta("やあ"), delta(finish="stop"), DONE]
    assert feed(stream(redact=False), *events) == b"".join(events)


def test_a_usage_chunk_nobody_asked_for_is_hidden_and_read():
    for redact in (True, False):
        chat = stream(redact=redact)
        out = feed(chat, delta("a"), delta(finish="stop"), usage(3, 4), DONE)
        assert b"usage" not in out
        assert chat.usage == TokenUsage(3, 0, 4, 0)


def test_a_usage_chunk_the_client_asked_for_is_shown():
    for redact in (True, False):
        assert (
            chunks(feed(stream(redact=redact, show_usage=True), delta("a"), usage(3, 4)))[-1]["usage"]["prompt_tokens"]
            == 3
        )


def test_a_null_usage_beside_choices_is_dropped_with_its_key():
    out = feed(stream(redact=False), event({"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": None}))
    assert "usage" not in chunks(out)[0]


def test_held_text_comes_before_the_chunk_that_ends_its_choice():
    out = feed(stream(), delta("電話は"), delta(PHONE), delta(finish="stop"), DONE)
    assert PHONE.encode() not in out
    assert joined(out, "content") == "電話は<PHONE_NUMBER_1>"
    reasons = [choice["finish_reason"] for chunk in chunks(out) for choice in chunk["choices"]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert out.endswith(DONE)


def test_text_in_the_very_chunk_that_ends_the_choice_is_redacted_and_in_order():
    out = feed(stream(), delta("電話は090-"), delta("1234-5678、以上。", finish="length"), DONE)
    assert joined(out, "content") == "電話は<PHONE_NUMBER_1>、以上。"
    assert chunks(out)[-1]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "length"}


def test_what_is_held_when_the_stream_is_done_is_not_lost():
    out = feed(stream(), delta("電話は"), delta(PHONE), DONE)
    assert joined(out, "content") == "電話は<PHONE_NUMBER_1>"
    assert out.endswith(DONE)


def test_choices_do_not_mix():
    events = [delta("090-1234", index=0), delta("03-9999", index=1), delta("-5678", index=0), delta("-8888", index=1)]
    out = feed(stream(), *events, DONE)
    assert {joined(out, "content", index=0), joined(out, "content", index=1)} == {
        "<PHONE_NUMBER_1>",
        "<PHONE_NUMBER_2>",
    }


def test_two_choices_in_one_chunk_are_both_redacted_and_the_usage_is_kept():
    both = [{"index": i, "delta": {"content": f"{PHONE}。"}, "finish_reason": "stop"} for i in (0, 1)]
    out = feed(
        stream(show_usage=True), event({"choices": both, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}), DONE
    )
    assert joined(out, "content", index=0) == joined(out, "content", index=1) == "<PHONE_NUMBER_1>。"
    assert sum("usage" in chunk for chunk in chunks(out)) == 1


@pytest.mark.parametrize("field", ["content", "refusal", "reasoning_content", "reasoning", "thought_of_tomorrow"])
def test_every_field_of_a_delta_is_a_lane_known_or_not(field):
    out = feed(stream(), delta(**{field: "電話は090-12"}), delta(**{field: "34-5678。"}), delta(finish="stop"), DONE)
    assert joined(out, field) == "電話は<PHONE_NUMBER_1>。"


def test_nested_fragments_are_lanes_of_their_own():
    def part(text, index):
        return delta(reasoning_details=[{"type": "reasoning.text", "index": index, "text": text}])

    out = feed(
        stream(),
        part("090-12", 0),
        part("03-1111-", 1),
        part("34-5678", 0),
        part("2222", 1),
        delta(finish="stop"),
        DONE,
    )
    texts = {joined(out, "reasoning_details", index, "text") for index in (0, 1)}
    assert texts == {"<PHONE_NUMBER_1>", "<PHONE_NUMBER_2>"}


def test_tool_call_arguments_stay_valid_json_and_ids_and_names_pass():
    def call(index, **fields):
        return delta(tool_calls=[{"index": index, **fields}])

    source = orjson.dumps({"tel": PHONE, "to": 9012345678, "text": f'"{NAME}"\n'}).decode()
    events = [call(0, id="call_1", type="function", function={"name": "send_mail", "arguments": ""})]
    events += [call(0, function={"arguments": source[i : i + 3]}) for i in range(0, len(source), 3)]
    events += [call(1, id="call_2", type="function", function={"name": "f", "arguments": "{}"})]
    out = feed(stream(), *events, delta(finish="tool_calls"), DONE)
    assert orjson.loads(joined(out, "tool_calls", 0, "function", "arguments")) == {
        "tel": "<PHONE_NUMBER_1>",
        "to": 9012345678,
        "text": '"<PERSON_1>"\n',
    }
    assert joined(out, "tool_calls", 1, "function", "arguments") == "{}"
    assert joined(out, "tool_calls", 0, "function", "name") == "send_mail"
    assert joined(out, "tool_calls", 0, "id") == "call_1"


def test_log_probabilities_never_pass_a_redacted_stream():
    choice = {"index": 0, "delta": {"content": "佐"}, "logprobs": {"content": [{"token": "佐", "bytes": [1]}]}}
    out = feed(stream(), event({"choices": [choice]}), delta("藤太郎", finish="stop"), DONE)
    assert all(choice.get("logprobs") is None for chunk in chunks(out) for choice in chunk["choices"])


def test_padding_is_dropped_from_a_redacted_stream():
    assert b"obfuscation" not in feed(stream(), event({"choices": [], "obfuscation": "aXb"}))


@pytest.mark.parametrize("place", ["id", "model", "note", "system_fingerprint"])
def test_strings_around_the_choices_are_redacted_each_time(place):
    odd = event({"choices": [{"index": 0, "delta": {"role": "assistant"}}], place: f"電話 {PHONE}"})
    out = feed(stream(), odd, odd, odd)
    assert PHONE.encode() not in out
    assert out.count(b"<PHONE_NUMBER_1>") == 3


def test_strings_beside_a_delta_are_redacted():
    choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": PHONE, "note": {"deep": [NAME]}}
    out = feed(stream(), event({"choices": [choice]}), DONE)
    assert PHONE.encode() not in out
    assert NAME.encode() not in out


def test_a_number_in_a_delta_is_redacted_when_it_is_personal_and_a_strange_key_dropped():
    out = feed(stream(), delta("a", phone=9012345678, count=12345678, **{NAME: "x"}), DONE)
    assert NAME.encode() not in out
    assert b'"count":12345678' in out


def test_a_chunk_whose_text_is_all_held_back_is_not_sent_and_others_are():
    chat = stream()
    assert feed(chat, delta("", role="assistant")) != b""
    assert feed(chat, delta("佐")) == b""
    assert feed(chat, delta()) != b""


def test_own_placeholders_are_restored_however_they_are_cut():
    redact = redaction()
    [sent] = run(redact.request_steps([f"電話は{PHONE}です。"]))
    assert PHONE not in sent
    chat = ChatStream(redact, show_usage=False, max_lanes=8)
    out = feed(chat, delta("承知。<PHO"), delta("NE_NUM"), delta("BER_1> に掛けます。"), delta(finish="stop"), DONE)
    assert joined(out, "content") == f"承知。{PHONE} に掛けます。"


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"7", b'{"choices":{}}', b'{"choices":[7]}', b'{"choices":[{"delta":7}]}', b'{"error":{"message":"x"}}',
     b'{"choices":[{"index":"0","delta":{}}]}'],
)  # fmt: skip
def test_what_is_no_chunk_is_a_failure_of_the_provider(payload):
    for redact in (True, False):
        with pytest.raises(ProviderError):
            run(stream(redact=redact).event(payload))


def test_nothing_passes_after_done():
    chat = stream()
    assert feed(chat, DONE) == DONE
    assert feed(chat, delta(PHONE), usage()) == b""


def test_a_stream_without_done_is_whole_when_every_choice_has_ended():
    chat = stream()
    feed(chat, delta("a", index=0, finish="stop"), delta("b", index=1, finish="stop"))
    assert b"".join(run(chat.finish())) == DONE


def test_a_stream_that_ends_in_the_middle_is_a_failure():
    for events in ([], [delta("a")], [delta("a", index=0, finish="stop"), delta("b", index=1)]):
        chat = stream()
        feed(chat, *events)
        with pytest.raises(ProviderError, match="before it was complete"):
            run(chat.finish())


def test_too_many_lanes_are_refused():
    chat = stream(max_lanes=3)
    feed(chat, delta("a", index=0), delta("a", index=1), delta("a", index=2), delta("a", index=0))
    with pytest.raises(ProviderError, match="too many parts"):
        feed(chat, delta("a", index=3))


def test_text_is_measured_for_the_estimate_of_usage():
    for redact in (True, False):
        chat = stream(redact=redact)
        feed(chat, delta("東京"), delta("abc"), delta(finish="stop"), DONE)
        assert tuple(chat.measure) == (5, 2)


def test_tool_calls_and_reasoning_are_measured_too():
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    for redact in (True, False):
        chat = stream(redact=redact)
        feed(chat, delta(tool_calls=[call]), delta(reasoning_content="考える"))
        assert tuple(chat.measure) == (11, 3)


@pytest.mark.parametrize("redact", [True, False])
def test_a_cut_flushes_what_was_held_and_ends_every_running_choice(redact):
    chat = stream(redact=redact)
    feed(chat, delta("い", index=0, finish="stop"), delta("電話は", index=1), delta("あ", index=2))
    *said, done = chat.cut()
    choices = [choice for event in said for choice in orjson.loads(event[6:])["choices"]]
    assert [(c["index"], c["finish_reason"]) for c in choices if c["finish_reason"]] == [(1, "length"), (2, "length")]
    assert all(
        orjson.loads(event[6:])["id"] == "chatcmpl-1" and "usage" not in orjson.loads(event[6:]) for event in said
    )
    assert (done, chat.done) == (DONE, True)
    assert chat.flush() == []


@pytest.mark.parametrize(
    ("event", "adds"),
    [
        (delta("a"), True),
        (delta(reasoning_content="a"), True),
        (delta(tool_calls=[{"index": 0}]), True),
        (delta("a", finish="stop"), True),
        (delta("", role="assistant"), False),
        (delta(finish="stop"), False),
        (usage(), False),
        (DONE, False),
    ],
)
def test_what_adds_to_an_answer_is_told_from_its_end(event, adds):
    assert stream().adds(event.removeprefix(b"data: ").rstrip()) == adds


def test_long_text_is_worked_on_in_steps():
    chat = stream()
    steps = chat.event(delta(f"今日は{NAME}に会いました。" * 2000).removeprefix(b"data: ").rstrip())
    assert sum(1 for _ in steps) > 5


TEXT = f'私は{NAME}です。電話は{PHONE}、メールは taro@example.com です。\n"引用" と \\ と 😀 も。' * 2


@given(cuts)
def test_the_text_of_a_lane_does_not_depend_on_how_it_is_cut(places):
    whole = feed(stream(), delta(TEXT), delta(finish="stop"), DONE)
    pieces = [delta(piece) for piece in cut(TEXT, places)]
    out = feed(stream(), *pieces, delta(finish="stop"), DONE)
    assert joined(out, "content") == joined(whole, "content")
    assert NAME not in joined(out, "content")


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["content", "refusal"])), min_size=1, max_size=40))
def test_interleaved_lanes_never_mix(order):
    lanes = {(index, field): TEXT for index in range(3) for field in ("content", "refusal")}
    events = []
    for index, field in order:
        piece, lanes[index, field] = lanes[index, field][:7], lanes[index, field][7:]
        events.append(delta(index=index, **{field: piece}))
    events += [delta(index=index, **{field: rest}) for (index, field), rest in lanes.items()]
    out = feed(stream(), *events, *[delta(index=index, finish="stop") for index in range(3)], DONE)
    texts = {joined(out, field, index=index) for index in range(3) for field in ("content", "refusal")}
    assert len(texts) == 1
    assert NAME not in texts.pop()


@pytest.mark.parametrize("number", [90123456789, 90123456789.0])
def test_a_long_number_in_a_delta_is_looked_at(number):
    seen = []

    class Watching:
        def response(self, text):
            seen.append(text)
            return "<NUMBER>"

    shown = feed(ChatStream(Watching(), show_usage=False, max_lanes=4), delta(phone=number, ratio=1.5))
    assert chunks(shown)[0]["choices"][0]["delta"] == {"phone": "<NUMBER>", "ratio": 1.5}
    assert "90123456789" in seen


@pytest.mark.parametrize("value", [b"[" * 500 + b"]" * 500, b"[" + b",".join([b"1"] * 250_001) + b"]"])
def test_an_event_that_cannot_be_handled_is_the_providers_fault(value):
    chat = stream()
    with pytest.raises(ProviderError):
        run(
            chat.event(
                b'{"choices":[{"index":0,"delta":{"content":"x\xe3\x80\x82","y":'
                + value
                + b'},"finish_reason":"stop"}],"z":'
                + value
                + b"}"
            )
        )
