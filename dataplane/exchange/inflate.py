"""Undoing a content coding, bounded.

We ask providers for plain bytes; one that compresses all the same is understood when it uses gzip or deflate
(RFC 9110, section 8.4.1) and refused otherwise, for what cannot be read cannot be redacted. Output is bounded, so
that a small answer cannot unfold into a large one.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from dataplane.errors import ProviderError


class Decoder(Protocol):
    """Takes coded bytes, gives plain ones."""

    def feed(self, data: bytes) -> bytes:
        """The next plain bytes. Raises ProviderError when they are too many or not in the coding."""

    def finish(self) -> None:
        """Raises ProviderError when the coded data is incomplete."""


class Plain:
    """No coding."""

    def feed(self, data: bytes) -> bytes:
        """The same bytes."""
        return data

    def finish(self) -> None:
        """Nothing to check."""


class Inflate:
    """gzip or deflate, at most `limit` plain bytes for each piece fed."""

    def __init__(self, limit: int) -> None:
        # 32 + 15: the header tells gzip from zlib, largest window.
        self._stream = zlib.decompressobj(wbits=47)
        self._limit = limit

    def feed(self, data: bytes) -> bytes:
        """See Decoder."""
        try:
            plain = self._stream.decompress(data, self._limit)
        except zlib.error:
            raise ProviderError("The provider's answer is not compressed as it says.") from None
        if self._stream.unconsumed_tail:
            raise ProviderError("The provider's answer is larger than the gateway allows.")
        if self._stream.unused_data:
            raise ProviderError("The provider's answer is not compressed as it says.")
        return plain

    def finish(self) -> None:
        """See Decoder."""
        if not self._stream.eof:
            raise ProviderError("The provider's answer ended before it was complete.")


def decoder(content_encoding: bytes, limit: int) -> Decoder:
    """The decoder for a content-encoding header (empty = none). Raises ProviderError for one we cannot read."""
    coding = content_encoding.strip().lower()
    if coding in (b"", b"identity"):
        return Plain()
    if coding in (b"gzip", b"x-gzip", b"deflate"):
        return Inflate(limit)
    raise ProviderError("The provider compressed its answer in a way the gateway cannot read.")
