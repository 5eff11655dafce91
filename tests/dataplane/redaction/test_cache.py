from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.redacting import TEXTS, policy, request, scan

from dataplane.redaction.cache import CacheLimits, FindingsCache
from dataplane.redaction.replace import Redaction
from dataplane.redaction.spans import Span

KEY = b"sixteen bytes or more"


def counting(seen: list[str]) -> object:
    def counted(text: str) -> list[Span]:
        seen.append(text)
        return scan(text)

    return counted


def test_a_text_is_scanned_once() -> None:
    seen: list[str] = []
    cached = FindingsCache(KEY).scan(counting(seen), "tenant")
    assert cached("田中です") == cached("田中です") == tuple(scan("田中です"))
    assert seen == ["田中です"]


def test_scopes_share_nothing() -> None:
    seen: list[str] = []
    cache = FindingsCache(KEY)
    for scope in ("one", "two", "one"):
        cache.scan(counting(seen), scope)("田中です")
    assert len(seen) == 2


def test_scope_and_text_do_not_run_together() -> None:
    seen: list[str] = []
    cache = FindingsCache(KEY)
    cache.scan(counting(seen), "a")("bc")
    cache.scan(counting(seen), "ab")("c")
    assert seen == ["bc", "c"]


def test_the_least_recently_used_goes_first() -> None:
    seen: list[str] = []
    cache = FindingsCache(KEY, CacheLimits(entries=2))
    cached = cache.scan(counting(seen), "")
    for text in ("a", "b", "a", "c", "a", "b"):
        cached(text)
    assert seen == ["a", "b", "c", "b"]
    assert len(cache) == 2


@given(st.lists(TEXTS, max_size=20))
def test_bytes_are_bounded_and_accounted_for(texts: list[str]) -> None:
    cache = FindingsCache(KEY, CacheLimits(bytes=2_000))
    cached = cache.scan(scan, "")
    for text in texts:
        cached(text)
    assert 0 <= cache.size <= 2_000
    assert (cache.size == 0) == (len(cache) == 0)


@given(st.lists(TEXTS, max_size=6))
def test_results_are_the_same_with_and_without(texts: list[str]) -> None:
    cache = FindingsCache(KEY)
    plain = request(Redaction(policy(), scan), *texts)
    for _ in range(2):
        assert request(Redaction(policy(), scan, cache=cache, scope="tenant"), *texts) == plain


def test_no_text_is_kept() -> None:
    cache = FindingsCache(KEY)
    cache.scan(scan, "")("秘密の田中")
    assert all(isinstance(key, bytes) and "田中".encode() not in key for key in cache._entries)
    assert [[span.entity for span in spans] for spans in cache._entries.values()] == [["PERSON"]]


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="cache key"):
        FindingsCache(b"short")
