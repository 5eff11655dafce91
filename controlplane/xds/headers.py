"""Which header names may enter the gateway, and the names its parts share.

A client's own copy of an internal header would be a forged decision. Envoy removes them on the outer listener before
any filter reads them. RE2 has no look-ahead, so "every x-kagami-* except three" is compiled from a trie into an
ordinary regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

EXCHANGE = "x-kagami-exchange"
PROVIDER = "x-kagami-provider"
REQUEST_ID = "x-kagami-request-id"
RETRY = "x-kagami-retry"
"""Set to `1` on a response by the data plane (or a hop's local reply) to ask the outer router for the next provider."""

PREFIX = "x-kagami-"
CLIENT_WORDS = ("strategy", "tags", "user")
"""What a client may say itself: x-kagami-strategy, x-kagami-tags, x-kagami-user."""


def all_but(prefix: str, words: Iterable[str]) -> tuple[str, ...]:
    """Regular expressions, without look-around, that together match all names with the prefix but these words.

    One per first letter, because Envoy limits the size of a single program (100 instructions).
    """
    tails = sorted(set(words))
    branches = sorted({word[0] for word in tails if word})
    root = re.escape(prefix)
    below = (_tails(tails, letter) for letter in branches)
    return (
        root + _elsewhere(tails, branches),
        *(root + re.escape(letter) + _complement(tail) for letter, tail in zip(branches, below, strict=True)),
    )


def internal_names() -> tuple[str, ...]:
    """Patterns of names a client must not send: ours but for the three, and those Envoy and its peers trust."""
    return (
        *all_but(PREFIX, CLIENT_WORDS),
        "x-envoy-.*",
        "x-request-id",
        "x-forwarded-(?:client-cert|host|port|prefix)",
    )


def _complement(words: Sequence[str]) -> str:
    """Everything but the words: end early, leave the trie at the next character, or go on below one of its edges."""
    branches = sorted({word[0] for word in words if word})
    ways = [re.escape(letter) + _complement(_tails(words, letter)) for letter in branches]
    return f"(?:{'|'.join([_elsewhere(words, branches), *ways])})"


def _elsewhere(words: Sequence[str], branches: Sequence[str]) -> str:
    """What leaves the trie here: nothing more (unless that is a word), or a character that is no edge."""
    other = f"[^{''.join(re.escape(letter) for letter in branches)}].*" if branches else ".+"
    return other if "" in words else f"(?:{other})?"


def _tails(words: Sequence[str], letter: str) -> list[str]:
    return [word[1:] for word in words if word.startswith(letter)]
