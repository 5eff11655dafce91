from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.redacting import TEXTS, cuts, redaction, request, through


@settings(max_examples=300)
@given(st.data())
def test_a_text_lane_gives_the_same_for_every_chunking(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    results = set()
    for chunks in ([text], list(text), data.draw(cuts(text))):
        exchange = redaction()
        request(exchange, "佐藤さんと田中さん")
        results.add(through(exchange.lane(0), chunks))
    assert len(results) == 1


@settings(max_examples=300)
@given(st.data())
def test_a_json_lane_gives_the_same_for_every_chunking(data: st.DataObject) -> None:
    values = data.draw(
        st.dictionaries(st.sampled_from(["name", "電話", "x", "田中"]), TEXTS | st.integers(), max_size=4)
    )
    text = json.dumps(values, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 1])))
    text = text[: data.draw(st.integers(0, len(text)))]
    results = set()
    for chunks in ([text], list(text), data.draw(cuts(text))):
        exchange = redaction()
        request(exchange, "佐藤さんと田中さん")
        results.add(through(exchange.lane("arguments", json=True), chunks))
    assert len(results) == 1


@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS | st.booleans(), max_size=3), max_size=4))
def test_valid_json_stays_valid_json(values: dict[str, object]) -> None:
    out = through(redaction().lane(0, json=True), [json.dumps(values)])
    assert type(json.loads(out)) is dict


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_name_in_arguments_is_replaced_however_it_is_escaped(ascii_only: bool) -> None:
    text = json.dumps({"to": "田中太郎", "note": 'He said "hi"\n'}, ensure_ascii=ascii_only)
    out = through(redaction().lane(0, json=True), list(text))
    assert json.loads(out) == {"to": "<PERSON_1>", "note": 'He said "hi"\n'}


def test_a_number_that_is_personal_becomes_a_string() -> None:
    out = through(redaction().lane(0, json=True), list('{"a":[0901234567,12],"b":-0.5}'))
    assert out == '{"a":["<PHONE_NUMBER_1>",12],"b":-0.5}'


def test_a_value_is_restored_and_escaped() -> None:
    exchange = redaction(deny_terms=['say "x"\\'])
    assert request(exchange, 'please say "x"\\ now') == ["please <DENIED_TERM_1> now"]
    out = through(exchange.lane(0, json=True), list('{"q":"<DENIED_TERM_1>"}'))
    assert json.loads(out) == {"q": 'say "x"\\'}


def test_what_is_no_json_is_redacted_as_text() -> None:
    out = through(redaction().lane(0, json=True), list('電話は 03-1234-5678 です。{"n": "田中'))
    assert out == '電話は <PHONE_NUMBER_1> です。{"n": "<PERSON_1>'


def test_keys_are_scanned_too() -> None:
    assert through(redaction().lane(0, json=True), ['{"田中":1}']) == '{"<PERSON_1>":1}'


def test_a_lane_tells_how_much_it_holds() -> None:
    lane = redaction().lane(0)
    assert lane.feed("田中") == ""
    assert lane.pending == 2
    assert lane.flush() == "<PERSON_1>"
    assert lane.pending == 0
