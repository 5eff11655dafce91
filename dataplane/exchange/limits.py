"""Bounds of one exchange; the caller gives them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes unless said otherwise."""

    max_response_bytes: int = 32 << 20
    """A whole answer, plain."""
    max_event_bytes: int = 4 << 20
    """One event of a stream, and what one compressed piece of it may unfold to."""
    max_lanes: int = 1024
    """Texts in one streamed answer."""
    inline_bytes: int = 4096
    """Pieces up to this size are worked on at once, larger ones in steps."""
