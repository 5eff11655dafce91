"""Identifiers made of a time and random bytes, both given by the caller."""

from __future__ import annotations

from typing import Final

RANDOM_BYTES: Final = 10
"""How many random bytes `uuid7` takes."""


def uuid7(unix_micros: int, random: bytes) -> str:
    """A version 7 UUID in text form (RFC 9562, section 5.7): sortable by time, 74 random bits.

    Raises ValueError when `random` is not RANDOM_BYTES long or the time does not fit 48 bits of
    milliseconds.
    """
    millis = unix_micros // 1000
    if len(random) != RANDOM_BYTES or not 0 <= millis < 1 << 48:
        raise ValueError(f"a UUIDv7 takes a 48-bit millisecond time and {RANDOM_BYTES} random bytes")
    bits = int.from_bytes(random)
    rand_a = bits >> 68  # 12 bits
    rand_b = bits & ((1 << 62) - 1)
    digits = f"{millis << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
