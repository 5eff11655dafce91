"""Money: decimal strings in, integers of pico-US-dollars (1e-12) inside, never a float.

One US dollar per million tokens is 1 000 000 pico-dollars per token. Precision that an integer cannot hold
is refused, not rounded: a price list must mean what it says. Costs are rounded up once, to micro-dollars.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from controlplane.domain.snapshot import Price

PICO_PER_MICRO: Final = 1_000_000
_PER_MILLION_DIGITS: Final = 6
_PER_REQUEST_DIGITS: Final = 12
_DECIMAL: Final = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,12}))?")


class PriceError(ValueError):
    """A price that cannot be taken as written; the message says what would be."""


def parse_per_million(text: str) -> int:
    """US dollars per million tokens → pico-dollars per token. Raises PriceError."""
    return _fixed_point(text, _PER_MILLION_DIGITS)


def parse_per_request(text: str) -> int:
    """US dollars per request → pico-dollars. Raises PriceError."""
    return _fixed_point(text, _PER_REQUEST_DIGITS)


def format_per_million(pico_per_token: int) -> str:
    """The inverse of `parse_per_million`, without needless zeros."""
    return _decimal(pico_per_token, _PER_MILLION_DIGITS)


def format_per_request(pico: int) -> str:
    """The inverse of `parse_per_request`, without needless zeros."""
    return _decimal(pico, _PER_REQUEST_DIGITS)


def price(input_: str, cached_input: str, output: str, reasoning: str, per_request: str, *, since: int = 0) -> Price:
    """A price from its decimal strings; empty cached input costs as input, empty reasoning as output.

    Raises PriceError naming the field.
    """
    fields = {"input": input_, "cached_input": cached_input or input_, "output": output}
    fields["reasoning"] = reasoning or output
    amounts = {name: _named(name, text, _PER_MILLION_DIGITS) for name, text in fields.items()}
    request = _named("per_request", per_request or "0", _PER_REQUEST_DIGITS)
    return Price(version=_version(*amounts.values(), request), **amounts, request=request, since=since)


def cost_micro_usd(price: Price, input_tokens: int, output_tokens: int) -> int:
    """What a request costs without cached input, rounded up to micro-dollars."""
    pico = price.request + price.input * input_tokens + max(price.output, price.reasoning) * output_tokens
    return -(-pico // PICO_PER_MICRO)


def _named(field: str, text: str, digits: int) -> int:
    try:
        return _fixed_point(text, digits)
    except PriceError as error:
        raise PriceError(f"{field}: {error}") from None


def _fixed_point(text: str, digits: int) -> int:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise PriceError(f"expected US dollars as a decimal such as '2.50', got {text[:32]!r}")
    whole, fraction = match.group(1), (match.group(2) or "").rstrip("0")
    if len(fraction) > digits:
        raise PriceError(f"at most {digits} digits after the point can be billed exactly, got {text!r}")
    return int(whole + fraction.ljust(digits, "0"))


def _decimal(amount: int, digits: int) -> str:
    whole, fraction = divmod(amount, 10**digits)
    return f"{whole}.{fraction:0{digits}d}".rstrip("0").rstrip(".")


def _version(*amounts: int) -> str:
    """Equal prices have equal versions, on every replica."""
    return hashlib.sha256(repr(amounts).encode()).hexdigest()[:16]
