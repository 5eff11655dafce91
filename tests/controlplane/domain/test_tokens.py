from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.tokens import FAMILIES, KINDS, Size, estimate, family, measure, of_chat

GPT = family("gpt-4o")


def tokens(text: str, model: str = "gpt-4o") -> int:
    return estimate(measure(text), family(model))


def chat(*messages: dict[str, object], **more: object) -> int:
    return estimate(of_chat({"messages": list(messages), **more}), GPT)


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(one: str, two: str) -> None:
    for known in FAMILIES.values():
        both = estimate(measure(one + two), known)
        assert both >= max(estimate(measure(one), known), estimate(measure(two), known))


@given(st.text(max_size=200))
def test_no_text_is_more_tokens_than_twice_its_bytes(text: str) -> None:
    for known in FAMILIES.values():
        assert estimate(measure(text), known) <= 1 + 3 * len(text.encode("utf-8", "surrogatepass"))


def test_characters_are_counted_by_kind() -> None:
    counted = dict(zip(KINDS, measure("Hello world 2025!! 東京のカフェ、é😀ＡＢ").counts, strict=True))
    assert {kind: count for kind, count in counted.items() if count} == {
        "lower": 9, "upper": 1, "words": 2, "digits": 4, "numbers": 1, "signs": 2, "sign runs": 1,
        "hiragana": 1, "kana": 2, "katakana": 1, "cjk signs": 1, "kanji": 2, "kanji-kana": 1,
        "full width": 2, "latin": 1, "astral": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "text", "actual"),
    [
        ("gpt-4o", "こんにちは、世界。今日は良い天気ですね。", 11),
        ("gpt-4", "こんにちは、世界。今日は良い天気ですね。", 18),
        ("claude-3-5-sonnet", "こんにちは、世界。今日は良い天気ですね。", 23),
        ("gpt-4o", "Hello, world! This is a test of tokenizers.", 12),
        ("qwen2.5-72b", "Hello, world! This is a test of tokenizers.", 12),
        ("mistral-large", '{"name": "山田", "age": 42}', 14),
    ],
)
def test_estimates_are_near_what_the_vocabularies_make_of_a_text(model: str, text: str, actual: int) -> None:
    assert 0.75 * actual <= tokens(text, model) <= 1.35 * actual


@pytest.mark.parametrize(
    ("model", "name"),
    [("gpt-4.1-mini", "o200k"), ("gpt-4-turbo", "cl100k"), ("openai/gpt-5", "o200k"), ("Llama-4-Scout", "llama4"),
     ("llama-3.1-8b", "llama3"), ("anthropic.claude-sonnet", "claude"), ("house-model", "other")],
)  # fmt: skip
def test_a_models_name_tells_its_family(model: str, name: str) -> None:
    assert family(model).name == name


def test_a_long_run_of_letters_is_not_one_word() -> None:
    assert tokens("x" * 6000) >= 1000


def test_nothing_is_nothing() -> None:
    assert measure("") == Size((0,) * len(KINDS))
    assert tokens("") == 0


def test_everything_that_is_sent_counts() -> None:
    plain = chat({"role": "user", "content": "hello"})
    parts = [{"type": "text", "text": "hello"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    calls = [{"function": {"name": "f", "arguments": "{}"}}]
    assert chat({"role": "user", "content": parts}) > plain + 500
    assert chat({"role": "user", "content": "hello"}, tools=[{"type": "function"}]) > plain
    assert chat({"role": "assistant", "content": "hello", "tool_calls": calls}) > plain
    assert chat({"role": "user", "content": "hello"}, {"role": "user", "content": "hello"}) > plain + 4
