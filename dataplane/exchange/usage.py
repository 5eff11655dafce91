"""What an attempt used and what it costs.

A provider's own count is settled when there is one. Otherwise tokens are estimated from the size of the text: four
ASCII characters to a token, other characters by the model's family. That is a rule of thumb, not a tokenizer. On eight
public vocabularies it is right on average within 4 % for Japanese and English, and within 30 % for 9 such texts of 10;
it is some 20 % high for code and 35 to 50 % low for JSON full of numbers. `Usage.reported` tells the two apart. It
serves answers cut off before the provider counted them, and providers that never count.
Costs are integers of pico-US-dollars; nothing here rounds.
"""

from __future__ import annotations

from functools import lru_cache

from kagamipb.exchange.v1.exchange_pb2 import Prices
from kagamipb.ledger.v1.ledger_pb2 import Usage

from dataplane.dialects.model import Measure, TokenUsage

_ASCII_PER_TOKEN = 4
# Hundredths of a token for a character beyond ASCII, by a part of the model's name; the first that fits counts.
_WIDE = (
    ("gpt-oss", 95), ("gpt-4o", 95), ("gpt-4.", 95), ("gpt-4", 140), ("gpt-3", 140), ("gpt-", 95), ("claude", 140),
    ("llama-4", 85), ("llama", 95), ("deepseek", 90), ("qwen", 105), ("stral", 105),
)  # fmt: skip
_WIDE_UNKNOWN = 105


@lru_cache(maxsize=1024)
def _wide_weight(model: str) -> int:
    name = model.lower()
    return next((weight for part, weight in _WIDE if part in name), _WIDE_UNKNOWN)


def estimate(measure: Measure, model: str = "") -> int:
    """Tokens of a text of this size for the provider's model, rounded up; 0 for no text."""
    plain, wide = measure.chars - measure.wide, measure.wide
    return -(-(plain * (100 // _ASCII_PER_TOKEN) + wide * _wide_weight(model)) // 100)


def used(reported: TokenUsage | None, request: Measure, answer: Measure, model: str = "") -> Usage:
    """The usage to settle: as reported, else estimated from both texts for the provider's `model`."""
    if reported is None:
        return Usage(input_tokens=estimate(request, model), output_tokens=estimate(answer, model), reported=False)
    return Usage(
        input_tokens=reported.input,
        cached_input_tokens=reported.cached,
        output_tokens=reported.output,
        reasoning_tokens=reported.reasoning,
        reported=True,
    )


def spent(reported: TokenUsage | None, answer: Measure, model: str = "") -> int:
    """Output tokens of an answer under way: as the provider counts them, if it does before the end, else estimated."""
    return estimate(answer, model) if reported is None else reported.output


def cost_pico_usd(usage: Usage, prices: Prices) -> int:
    """Pico-US-dollars: cached tokens are part of the input, reasoning tokens part of the output."""
    fresh = usage.input_tokens - usage.cached_input_tokens
    spoken = usage.output_tokens - usage.reasoning_tokens
    return (
        fresh * prices.input_pico_usd_per_token
        + usage.cached_input_tokens * prices.cached_input_pico_usd_per_token
        + spoken * prices.output_pico_usd_per_token
        + usage.reasoning_tokens * prices.reasoning_pico_usd_per_token
        + prices.request_pico_usd
    )
