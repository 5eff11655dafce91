from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from support.redacting import cuts

from dataplane.redaction.json_view import JsonReader, Kind, escape, needs_quotes

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def view(chunks: list[str]) -> str:
    reader = JsonReader()
    parts = [part for chunk in chunks for part in reader.feed(chunk)] + reader.flush()
    return "".join(part.text for part in parts)


def rewritten(text: str) -> str:
    reader = JsonReader()
    parts = reader.feed(text) + reader.flush()
    return "".join(escape(part.text) if part.kind is Kind.STRING else part.text for part in parts)


@given(JSONS, st.booleans())
def test_json_read_and_written_again_means_the_same(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert json.loads(rewritten(text)) == value


@given(st.text('{}[]:," \\\\ud83d\\ude00n田1-e', max_size=40), st.data())
def test_the_view_of_anything_is_the_same_for_every_chunking(text: str, data: st.DataObject) -> None:
    assert view(list(text)) == view([text]) == view(data.draw(cuts(text)))


def test_strings_are_decoded() -> None:
    assert view(['{"a\\u7530":"\\ud83d\\ude00\\n\\"x"}']) == '{"a田":"😀\n"x"}'


def test_a_lone_surrogate_is_written_as_an_escape() -> None:
    assert rewritten('"\\ud83d!"') == '"\\ud83d!"'


def test_an_unknown_escape_becomes_its_two_characters() -> None:
    assert rewritten('"a\\xb"') == '"a\\\\xb"'


def test_depth_costs_nothing() -> None:
    assert rewritten("[" * 100_000) == "[" * 100_000


def test_numbers_and_literals_need_quotes_when_replaced() -> None:
    assert all(map(needs_quotes, ["1", "-1.5e+3", "0901", "true", "null"]))
    assert not any(map(needs_quotes, ["田中", "1a", ""]))
