"""Keys and secrets. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.api_key import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "⟦sk-proj-abcdEFGH1234567890abcd⟧",
        "鍵は⟦AKIAIOSFODNN7EXAMPLE⟧です",
        "⟦ghp_0123456789abcdefghijklmnopqrstuvwxyz⟧",
        "⟦eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_123⟧",
        "password: ⟦hunter22x⟧",
        'API_KEY="⟦q7Zk31mmPa⟧"',
        "パスワードは⟦abc12345⟧",
        "⟦-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----⟧",
        "Bearer ⟦abcdefghijklmnop1234567890⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "task-abcdEFGH1234567890",
        "password: <your password>",
        "secret: ${SECRET}",
        "the secret garden",
        "キー局の番組",
        "risk-averse",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
