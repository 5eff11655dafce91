from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataplane.dialects.openai_delta import build, step_of


def test_a_tool_call_is_known_by_its_own_index_and_others_by_position():
    assert step_of("content", "x") == "content"
    assert step_of(0, {"index": 3}) == 3
    assert step_of(2, {"text": "a"}) == ~2
    assert step_of(1, {"index": "3"}) == ~1


def test_pieces_of_one_place_share_their_containers():
    pieces = [
        (("content",), "a"),
        (("tool_calls", 1, "function", "arguments"), "b"),
        (("tool_calls", 1, "function", "extra"), "c"),
        (("tool_calls", 0, "function", "arguments"), "d"),
        (("parts", ~0, "text"), "e"),
        (("words", ~0), "f"),
    ]
    assert build(pieces) == {
        "content": "a",
        "tool_calls": [
            {"index": 1, "function": {"arguments": "b", "extra": "c"}},
            {"index": 0, "function": {"arguments": "d"}},
        ],
        "parts": [{"text": "e"}],
        "words": ["f"],
    }


def test_nothing_builds_nothing():
    assert build([]) == {}


def leaves(node, path=()):
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from leaves(value)


keys = st.sampled_from(["a", "b"])
paths = (
    st.tuples(keys, st.integers(0, 2), keys)
    | st.tuples(keys, st.integers(-3, -1))
    | st.tuples(st.sampled_from(["c", "d"]))
)


@given(st.dictionaries(paths, st.sampled_from(["x", "y"]), max_size=6))
def test_every_text_is_somewhere_in_the_delta(pieces):
    kinds: dict[str, set[int]] = {}
    for path in pieces:
        kinds.setdefault(path[0], set()).add(len(path))
    items = [(path, text) for path, text in pieces.items() if kinds[path[0]] == {len(path)}]
    assert sorted(leaves(build(items))) == sorted(text for _, text in items)
