"""IP addresses. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.ip_address import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "⟦192.168.10.1⟧",
        "から⟦203.0.113.9⟧へ",
        "⟦2001:db8::8a2e:370:7334⟧",
        "⟦fe80::1234:5⟧",
        "⟦192.168.10.0⟧/24",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3",
        "256.1.1.1",
        "1.2.3.4.5",
        "12:30:45",
        "00:1B:44:11:3A:B7",
        "v10.0.19045.1",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
