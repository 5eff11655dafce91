"""Addresses in Latin letters. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.address_romaji import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "lives at ⟦Room 1204, Harumi Sky Residence, 5-0-1 Harumi, Chuo-ku, Tokyo⟧ now",
        "⟦3-0-22 Motoazabu, Minato-ku, Tokyo 106-0046⟧",
        "⟦Tsujido 4-2, Fujisawa-shi, Kanagawa⟧",
        "⟦12 rue des Lilas, 69000 Lyon, France⟧",
        "⟦88 Maple Street, Springfield, IL 62704⟧",
        "⟦Lindenstraße 14, 10969 Berlin, Germany⟧",
        "resident of ⟦Aza Nakamura 00, Ono-machi, Tamura-gun, Fukushima⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "On March 3, 2014, Osaka followed",
        "The Nikkei 225 closed at 50,376.53. Takeda, Ono and Kawasaki rose",
        "Room 1204 at 3:30 pm",
        "Flight 208 from Osaka, Japan",
        "Article 21-3, paragraphs 4-7",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
