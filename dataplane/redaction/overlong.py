"""Values longer than any hold: private keys, web tokens, passwords in URLs.

A detector knows them by their end, which a stream has not seen when the cap forces a decision. So what opens one
counts as a finding for as long as it goes on without a break, and is masked, not let go, when it cannot be held any
longer; then the rest is swallowed up to where it ends. The patterns begin with rare literals and cost next to nothing
on other text.

Sources: RFC 7468 (PEM), RFC 7515 section 7.1 (JWS compact form), RFC 3986 section 3.2.1 (user information).
"""

from __future__ import annotations

import re

from dataplane.redaction.spans import Span

OPEN = "kagami.open"
"""Recognizer name of values whose end was not seen."""

_BEGIN = "-----BEGIN "
_KEY_TEXT = r"(?:[A-Za-z0-9+/=\s:,\\]|-(?!----))"
# Entity, what stands in all of them, and the pattern.
_OPENINGS = (
    (
        "API_KEY",
        _BEGIN,
        re.compile(rf"{_BEGIN}[A-Z0-9 ]{{0,40}}(?:PRIVATE KEY[A-Z ]{{0,8}}(?:-----{_KEY_TEXT}*)?-{{0,5}})?\Z"),
    ),
    ("API_KEY", "eyJ", re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}\Z")),
    ("URL_CREDENTIALS", "://", re.compile(r"(?<=://)[^\s/@:]{1,64}:(?![0-9]{1,5}(?:[/?#]|\Z))[^\s/@]*\Z")),
)  # fmt: skip
_KEY_LINES = re.compile(f"{_KEY_TEXT}*")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----|-{1,5}(?:E(?:N(?:D[A-Z0-9 ]{0,40}-{0,5})?)?)?\Z")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~%@:&?#!$^*\\-]*")


def opened(text: str) -> Span | None:
    """A value that began in `text` and has not ended at its end."""
    for entity, mark, pattern in _OPENINGS:
        hit = pattern.search(text) if mark in text else None
        if hit is not None:
            return Span(hit.start(), len(text), entity, 0.9, OPEN)
    return None


def is_key_block(value: str) -> bool:
    """True for (the beginning of) a PEM block, which goes on over lines."""
    return value.startswith(_BEGIN)


def run_end(text: str, start: int, end: int, *, key_block: bool) -> tuple[int, bool]:
    """Up to where in [start, end) an overlong value goes on, and whether it may go on after `end`."""
    if not key_block:
        stop = _match_end(_TOKEN, text, start, end)
        return stop, stop == end
    stop = _match_end(_KEY_LINES, text, start, end)
    if stop == end:
        return stop, True
    closing = _KEY_END.match(text, stop, end)
    if closing is None:
        return stop, False
    return closing.end(), not closing.group().endswith("-----")


def _match_end(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    match = pattern.match(text, start, end)
    return start if match is None else match.end()
