from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import pricing

DECIMALS = st.decimals(min_value=0, max_value=9_999_999, places=6, allow_nan=False).map(lambda d: f"{d:f}")


def test_a_dollar_per_million_tokens_is_a_million_pico_dollars_per_token() -> None:
    assert pricing.parse_per_million("1") == 1_000_000
    assert pricing.parse_per_million("2.50") == 2_500_000
    assert pricing.parse_per_million("0.000001") == 1
    assert pricing.parse_per_request("0.01") == 10_000_000_000


@given(DECIMALS)
def test_no_decimal_of_six_places_loses_anything(text: str) -> None:
    pico = pricing.parse_per_million(text)
    assert pico == Decimal(text) * 1_000_000
    assert pricing.parse_per_million(pricing.format_per_million(pico)) == pico


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1,5", "0.0000001", "NaN", "１", " 1", "1.", "1" * 20])
def test_what_cannot_be_billed_exactly_is_refused(text: str) -> None:
    with pytest.raises(pricing.PriceError):
        pricing.parse_per_million(text)


def test_trailing_zeros_are_no_precision() -> None:
    assert pricing.parse_per_million("2.500000000") == 2_500_000


def test_an_error_names_the_field() -> None:
    with pytest.raises(pricing.PriceError, match=r"^output: "):
        pricing.price("1", "", "x", "", "")


def test_cached_input_costs_as_input_and_reasoning_as_output_unless_said() -> None:
    price = pricing.price("2", "", "8", "", "")
    assert (price.cached_input, price.reasoning, price.request) == (price.input, price.output, 0)


def test_versions_agree_exactly_when_prices_do() -> None:
    one, same, other = (pricing.price(text, "", "8", "", "") for text in ("2.5", "2.50", "2.51"))
    assert one.version == same.version != other.version


@given(DECIMALS, DECIMALS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_costs_are_exact_and_rounded_up_to_the_micro_dollar(
    input_: str, output: str, inputs: int, outputs: int
) -> None:
    cost = pricing.cost_micro_usd(pricing.price(input_, "", output, "", "0.0000001"), inputs, outputs)
    dollars = (Decimal(input_) * inputs + Decimal(output) * outputs) / 10**6 + Decimal("0.0000001")
    assert cost == (dollars * 10**6).to_integral_value(ROUND_CEILING)
