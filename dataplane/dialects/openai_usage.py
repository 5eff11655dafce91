"""Usage objects of OpenAI's dialect: read for settlement, and shown without a word in them."""

from __future__ import annotations

from typing import Any

from dataplane.dialects.model import TokenUsage
from dataplane.dialects.slots import is_plain_key

_LEVELS = 4


def token_usage(usage: Any) -> TokenUsage | None:
    """The counts of a `usage` object, None when there is none. Counts that are no positive integers are 0."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    total_in, total_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    cached, reasoning = _count(prompt, "cached_tokens"), _count(completion, "reasoning_tokens")
    return TokenUsage(total_in, min(cached, total_in), total_out, min(reasoning, total_out))


def numbers_only(usage: Any, levels: int = _LEVELS) -> Any:
    """The object with its numbers and without its texts: a count needs no words, so none are worth a scan."""
    if isinstance(usage, dict) and levels:
        kept = {key: numbers_only(value, levels - 1) for key, value in usage.items() if not isinstance(value, str)}
        return {key: value for key, value in kept.items() if is_plain_key(key)}
    return usage if isinstance(usage, int | float) else None


def _count(holder: Any, key: str) -> int:
    value = holder.get(key) if isinstance(holder, dict) else 0
    return value if type(value) is int and value > 0 else 0
