"""Writing server-sent events.

Guarantee: whatever the payload, exactly one event comes out: JSON from orjson holds no raw line end, and a comment
with one is refused.
"""

from __future__ import annotations

DONE = b"data: [DONE]\n\n"
"""How OpenAI's streams end."""


def data_event(payload: bytes) -> bytes:
    """One event without a type; `payload` is a single line (JSON)."""
    return b"data: " + payload + b"\n\n"


def comment(text: str) -> bytes:
    """A comment, which every client ignores. Raises ValueError when `text` holds a line end."""
    if "\n" in text or "\r" in text:
        raise ValueError("a comment is one line")
    return b": " + text.encode() + b"\n\n"
