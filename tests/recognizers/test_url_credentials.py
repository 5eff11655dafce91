"""Credentials in URLs. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.url_credentials import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "https://⟦admin:s3cr3t⟧@db.example/x",
        "postgres://⟦app:p%40ss⟧@10.0.0.1/db",
        "https://x.example/?a=1&token=⟦abcdef123456⟧",
        "https://x.example/cb?access_token=⟦eyJhbGciOi⟧#f",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com:8080/path@x",
        "https://user@example.com",
        "token=abcdef123456",
        "https://x.example/?page=123456",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
