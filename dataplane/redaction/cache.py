"""Findings of texts that were scanned before: the earlier turns of a conversation come with every request.

A key is the BLAKE2b of the text under a random key of this process, so the cache holds offsets and entity names and
neither text nor anything that could be compared with text from outside. Scopes (tenant, policy) never share entries:
nobody can learn from timing what another tenant sent. Least recently used entries go first when room runs out.
Results are identical with and without, for a scan is a pure function of its text. Not thread-safe: one per worker.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from dataplane.redaction.spans import Scan, Span

LEAST_KEY_BYTES = 16
_ENTRY_BYTES = 250
"""What an entry without findings takes: digest, ordered-dict node, tuple. Measured on CPython 3.11."""
_SPAN_BYTES = 150


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """Most entries and most bytes (estimated) that a cache may hold."""

    entries: int = 20_000
    bytes: int = 16 * 1024 * 1024


class FindingsCache:
    """Least-recently-used map from keyed text hashes to findings."""

    __slots__ = ("_entries", "_key", "_limits", "hits", "misses", "size")

    def __init__(self, key: bytes, limits: CacheLimits | None = None) -> None:
        """`key`: random bytes of this process, 16 to 64. Raises ValueError for fewer."""
        if not LEAST_KEY_BYTES <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
            raise ValueError(f"cache key: between {LEAST_KEY_BYTES} and {hashlib.blake2b.MAX_KEY_SIZE} bytes")
        self._key = key
        self._limits = limits or CacheLimits()
        self._entries: OrderedDict[bytes, tuple[Span, ...]] = OrderedDict()
        self.size = self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def scan(self, scan: Scan, scope: str) -> Scan:
        """`scan` behind this cache; texts of different scopes are kept apart."""
        scope_digest = hashlib.blake2b(scope.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        prefix = hashlib.blake2b(scope_digest, key=self._key, digest_size=32)

        def cached(text: str) -> Sequence[Span]:
            digest = prefix.copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            key = digest.digest()
            known = self._entries.get(key)
            if known is not None:
                self.hits += 1
                self._entries.move_to_end(key)
                return known
            self.misses += 1
            return self._keep(key, tuple(scan(text)))

        return cached

    def _keep(self, key: bytes, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        self._entries[key] = spans
        self.size += _cost(spans)
        while self._entries and (len(self._entries) > self._limits.entries or self.size > self._limits.bytes):
            self.size -= _cost(self._entries.popitem(last=False)[1])
        return spans


def _cost(spans: Sequence[Span]) -> int:
    return _ENTRY_BYTES + _SPAN_BYTES * len(spans)
