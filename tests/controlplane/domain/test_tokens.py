from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.tokens import of_chat, of_text


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(one: str, two: str) -> None:
    assert of_text(one + two) >= max(of_text(one), of_text(two))
    assert (of_text(one) == 0) == (one == "")


def test_four_ascii_characters_or_one_kana_are_a_token() -> None:
    assert of_text("a" * 400) == 100
    assert of_text("あ" * 100) == 100
    assert of_text("a" * 400 + "あ" * 100) == 200


def test_everything_that_is_sent_counts() -> None:
    plain = of_chat({"messages": [{"role": "user", "content": "hello"}]})
    parts = [{"type": "text", "text": "hello"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    calls = [{"function": {"name": "f", "arguments": "{}"}}]
    assert of_chat({"messages": [{"role": "user", "content": parts}]}) > plain + 500
    assert of_chat({"messages": [{"role": "user", "content": "hello"}], "tools": [{"type": "function"}]}) > plain
    assert of_chat({"messages": [{"role": "assistant", "content": "hello", "tool_calls": calls}]}) > plain
