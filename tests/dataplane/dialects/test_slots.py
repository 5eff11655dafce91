from __future__ import annotations

import copy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.redactor import run

from dataplane.dialects import slots


def texts(tree, **options):
    return slots.read(run(slots.find(tree, **options)).slots).texts


def test_every_unknown_string_is_text_wherever_it_lies():
    tree = {"new_field": "a", "deep": [{"er": [["b"], {"x": {"y": "c"}}]}], "empty": ""}
    assert texts(tree) == ["a", "b", "c"]


@pytest.mark.parametrize("value", ["user", "call_abc123", "gpt-4o-mini", "json_object"])
def test_an_identifier_under_a_structural_key_is_no_text(value):
    assert texts({"role": value, "id": value, "type": value}) == []


@pytest.mark.parametrize("value", ["佐藤太郎", "Taro Yamada", "090-1234-5678", "1234567890123456", "taro@example.com"])
def test_a_persons_words_under_a_structural_key_are_text(value):
    assert texts({"id": value}) == [value]


def test_a_functions_name_is_structural_and_a_participants_name_is_text():
    tree = {"messages": [{"name": "taro"}], "tools": [{"function": {"name": "get_weather"}}]}
    assert texts(tree) == ["taro"]


def test_long_numbers_and_odd_keys_are_text():
    tree = {"metadata": {"my_number": 123456789018, "佐藤太郎": 1, "age": 42}}
    assert sorted(texts(tree)) == ["123456789018", "佐藤太郎"]


@pytest.mark.parametrize(
    "key", ["Taro Yamada", "taro@example.com", "090-1234-5678", "tel_090_1234_5678", "a" * 65, "", "氏名", "a\n"]
)
def test_keys_that_are_no_names_of_a_protocol_are_text(key):
    assert texts({"metadata": {key: 1}}) == [key]


@pytest.mark.parametrize("key", ["name", "$defs", "reasoning_content", "prompt-cache", "v1.2", "top_20"])
def test_keys_that_are_names_of_a_protocol_are_not(key):
    assert texts({"metadata": {key: 1}}) == []


def test_millions_of_values_are_walked_in_steps():
    assert sum(1 for _ in slots.find({"a": [[1] * 1000] * 100})) >= 15


def test_arguments_are_marked_as_json():
    tree = {"messages": [{"tool_calls": [{"function": {"name": "f", "arguments": '{"a":"b"}'}}]}], "x": "y"}
    found = slots.read(run(slots.find(tree)).slots)
    assert [found.texts[index] for index in found.json] == ['{"a":"b"}']


def test_media_parts_are_counted_and_their_bytes_left_out():
    content = [
        {"type": "text", "text": "見て"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/?name=taro"}},
        {"type": "input_audio", "input_audio": {"data": "A" * 64, "format": "wav"}},
        {"type": "file", "file": {"file_data": "A" * 64, "filename": "佐藤.pdf"}},
    ]
    found = run(slots.find({"messages": [{"role": "user", "content": content}]}))
    assert found.media == 4
    assert slots.read(found.slots).texts == ["見て", "https://example.com/?name=taro", "佐藤.pdf"]


def test_data_outside_a_media_part_is_text():
    assert texts({"metadata": {"data": "佐藤太郎", "url": "data:佐藤太郎"}}) == ["佐藤太郎", "data:佐藤太郎"]


def test_top_level_keys_may_be_skipped_and_nested_ones_of_that_name_not():
    assert texts({"usage": {"note": "a"}, "x": {"usage": "b"}}, skip=frozenset({"usage"})) == ["b"]


def test_deep_nesting_is_no_recursion():
    tree = leaf = {}
    for _ in range(50_000):
        leaf["a"] = leaf = {}
    leaf["a"] = "佐藤太郎"
    assert texts(tree) == ["佐藤太郎"]


def test_renamed_keys_keep_their_place():
    tree = {"metadata": {"a": 1, "佐藤太郎": 2, "b": 3}}
    found = run(slots.find(tree)).slots
    slots.write(found, slots.read(found).texts, ["<PERSON_1>"])
    assert list(tree["metadata"].items()) == [("a", 1), ("<PERSON_1>", 2), ("b", 3)]


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=6), json, max_size=4))
def test_what_nobody_changed_is_not_touched(tree):
    before = copy.deepcopy(tree)
    found = run(slots.find(tree)).slots
    was = slots.read(found).texts
    slots.write(found, was, list(was))
    assert tree == before
    assert orjson.dumps(tree, option=orjson.OPT_NON_STR_KEYS) == orjson.dumps(before, option=orjson.OPT_NON_STR_KEYS)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "audio_url", "audio_url": {"url": "https://example.com/a.wav"}},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "something_new", "blob": "AAAA"},
    ],
)
def test_a_content_part_of_any_type_that_is_not_text_counts_once(part):
    assert run(slots.find({"messages": [{"content": [{"type": "text", "text": "x"}, part]}]})).media == 1


@pytest.mark.parametrize("kind", ["text", "input_text", "output_text", "refusal", "thinking", "tool_result"])
def test_a_textual_part_is_no_medium(kind):
    assert run(slots.find({"messages": [{"content": [{"type": kind, "text": "x"}]}]})).media == 0


@pytest.mark.parametrize("words", ["data:text/plain,佐藤太郎", "090-1234-5678", "data:text/plain,tel:09012345678"])
def test_words_in_the_place_of_a_payload_are_text(words):
    part = {"type": "file", "file": {"file_data": words}}
    assert texts({"messages": [{"content": [part]}]}) == [words]


@pytest.mark.parametrize("payload", ["A" * 64, "data:image/png;base64," + "iVBORw0KGgo" * 6 + "==", "AAAA\n" * 200_000])
def test_a_base64_payload_is_left_out(payload):
    part = {"type": "file", "file": {"file_data": payload}}
    assert texts({"messages": [{"content": [part]}]}) == []


@pytest.mark.parametrize("value", ["tel:090-1234-5678", "My-Number:123456789018", "TK1234567"])
def test_a_long_number_makes_an_identifier_text(value):
    assert texts({"id": value, "function": {"name": value}}) == [value, value]


def test_the_id_of_a_tool_call_and_a_models_name_are_the_providers_own():
    made = "chatcmpl-tool-0123456789abcdef"
    assert texts({"x": {"model": "gpt-4o-2024-08-06"}}) == []
    assert texts({"messages": [{"tool_calls": [{"id": made}]}, {"tool_call_id": made}]}) == []


def test_nothing_is_structural_in_metadata():
    assert texts({"metadata": {"type": "Yamada.Taro", "deep": {"id": "T-1"}}}) == ["Yamada.Taro", "T-1"]


def test_a_whole_number_written_as_a_float_is_text():
    assert texts({"metadata": {"my_number": 123456789018.0, "ratio": 1234567.5, "huge": 1e300}}) == ["123456789018"]


@pytest.mark.parametrize(
    "tree", [{"a": [[]] * 50_000}, {"a": ["x"] * 50_000}, {"a": {f"k{n}": 1 for n in range(50_000)}}]
)
def test_one_long_list_or_object_is_walked_in_steps(tree):
    assert sum(1 for _ in slots.find(tree)) >= 9


@pytest.mark.parametrize("tree", [{"a": [[]] * 11}, {"a": [["x"] * 5] * 2}, {"a": {str(n): n for n in range(11)}}])
def test_a_tree_of_too_many_values_is_not_walked(tree):
    run(slots.find(tree, most=13))
    with pytest.raises(slots.TooManyValuesError):
        run(slots.find(tree, most=10))


def test_parts_of_one_message_that_stand_side_by_side_follow_each_other():
    image = {"type": "image_url", "image_url": {"url": "https://example.com/"}}
    parts = [{"type": "text", "text": text} for text in ("a", "b", "", "c")]
    tree = {"messages": [{"content": [*parts, image, {"type": "text", "text": "d"}]}, {"content": [{"text": "e"}]}]}
    found = run(slots.find(tree))
    read = slots.read(found.slots, found.follows)
    assert {read.texts[after]: read.texts[before] for after, before in read.follows.items()} == {"b": "a", "c": "b"}
