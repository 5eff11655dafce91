"""Check digits of identifiers. Pure functions of ASCII digit strings; each names its source.

All answer False (never raise) for a string of another length or with other characters than 0-9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

_MY_NUMBER_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_LICENSE_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def my_number(digits: str) -> bool:
    """個人番号, 12 digits: 行政手続における特定の個人を識別するための番号の利用等に関する法律 総務省令第85号 5条."""
    if len(digits) != 12 or not _ascii_digits(digits):
        return False
    rest = _weighted(digits, _MY_NUMBER_WEIGHTS) % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest)


def drivers_license(digits: str) -> bool:
    """運転免許証番号, 12 digits, the 11th checks the first ten (common description; no official text is public)."""
    if len(digits) != 12 or not _ascii_digits(digits):
        return False
    return int(digits[10]) == (11 - _weighted(digits, _LICENSE_WEIGHTS) % 11) % 10


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B, for payment cards; at least two digits."""
    if len(digits) < 2 or not _ascii_digits(digits):
        return False
    odd = sum(map(int, digits[-1::-2]))
    return (odd + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def corporate_number(digits: str) -> bool:
    """法人番号, 13 digits, the first checks the rest: 財務省令第70号 2条. A public number, hence never personal data."""
    if len(digits) != 13 or not _ascii_digits(digits):
        return False
    total = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(digits[:0:-1]))
    return int(digits[0]) == 9 - total % 9


def insurer_number(digits: str) -> bool:
    """保険者番号, 8 digits (6 for 国保): 厚生労働省 検証番号の設定方法, the same sum as Luhn's."""
    return len(digits) in (6, 8) and luhn(digits)


def iban(number: str) -> bool:
    """ISO 13616: country, check digits, account; the whole modulo 97 is 1. Spaces are ignored."""
    compact = number.replace(" ", "").upper()
    if not 15 <= len(compact) <= 34 or not (compact.isascii() and compact.isalnum() and compact[:2].isalpha()):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _ascii_digits(digits: str) -> bool:
    return digits.isascii() and digits.isdigit()


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


BY_NAME: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "my_number": my_number,
        "drivers_license": drivers_license,
        "luhn": luhn,
        "corporate_number": corporate_number,
        "insurer_number": insurer_number,
        "iban": iban,
    }
)
