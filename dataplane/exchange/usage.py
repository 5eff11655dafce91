"""What an attempt used and what it costs.

A provider's own count is settled when there is one. Otherwise tokens are estimated from the size of the text: four
ASCII characters or 1.25 others to a token. That is a rule of thumb, not a tokenizer: vocabularies differ, and on
single texts it may be wrong by half in either direction; `Usage.reported` tells the two apart. It serves answers cut
off before the provider counted them, and providers that never count.
Costs are integers of pico-US-dollars; nothing here rounds.
"""

from __future__ import annotations

from kagamipb.exchange.v1.exchange_pb2 import Prices
from kagamipb.ledger.v1.ledger_pb2 import Usage

from dataplane.dialects.model import Measure, TokenUsage

_ASCII_PER_TOKEN = 4
# 1.25 characters a token: 4 tokens for 5 characters.
_WIDE_TOKENS, _WIDE_CHARS = 4, 5


def estimate(measure: Measure) -> int:
    """Tokens of a text of this size, rounded up; 0 for no text."""
    plain, wide = measure.chars - measure.wide, measure.wide
    twentieths = plain * (20 // _ASCII_PER_TOKEN) + wide * (20 * _WIDE_TOKENS // _WIDE_CHARS)
    return -(-twentieths // 20)


def used(reported: TokenUsage | None, request: Measure, answer: Measure) -> Usage:
    """The usage to settle: as reported, else estimated from both texts."""
    if reported is None:
        return Usage(input_tokens=estimate(request), output_tokens=estimate(answer), reported=False)
    return Usage(
        input_tokens=reported.input,
        cached_input_tokens=reported.cached,
        output_tokens=reported.output,
        reasoning_tokens=reported.reasoning,
        reported=True,
    )


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
