"""Virtual keys: how they are made, recognised and named. The secret itself is never kept.

A key is known by HMAC-SHA256(pepper, secret). The pepper lives outside the database, so that a stolen
database tells nothing about weak secrets an administrator chose; the digest being the look-up key of a
dictionary, no comparison of secrets happens whose duration could tell something.
"""

from __future__ import annotations

import hmac
from typing import Final

PREFIX: Final = "sk-kagami-"
MIN_SECRET_CHARS: Final = 16
MAX_SECRET_CHARS: Final = 512
MIN_PEPPER_BYTES: Final = 32

SECRET_RANDOM_BYTES: Final = 48
"""Random bytes for `new_secret`: 128 more bits than it keeps, so that the modulus leaves no bias."""
KEY_ID_RANDOM_BYTES: Final = 10

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_CHARS: Final = 43  # 256 bits


def digest(pepper: bytes, secret: str) -> bytes:
    """What a secret is known by: 32 bytes."""
    return hmac.digest(pepper, secret.encode("utf-8", "surrogatepass"), "sha256")


def new_secret(random: bytes) -> str:
    """A fresh secret of 256 bits: `sk-kagami-` and 43 base-62 characters."""
    if len(random) != SECRET_RANDOM_BYTES:
        raise ValueError(f"a secret takes {SECRET_RANDOM_BYTES} random bytes")
    number = int.from_bytes(random)
    characters = []
    for _ in range(_SECRET_CHARS):
        number, index = divmod(number, 62)
        characters.append(_BASE62[index])
    return PREFIX + "".join(characters)


def new_key_id(random: bytes) -> str:
    """A public identifier, safe in logs and audit records: `key_` and 20 hex digits."""
    if len(random) != KEY_ID_RANDOM_BYTES:
        raise ValueError(f"a key id takes {KEY_ID_RANDOM_BYTES} random bytes")
    return f"key_{random.hex()}"
