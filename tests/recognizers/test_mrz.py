"""The second line of a passport's machine-readable zone."""

from __future__ import annotations

from recognizers.folded import FoldedText
from recognizers.mrz import mrz_lines

_LINE = "TK01020341JPN8504175F3004170<<<<<<<<<<<<<<08"


def values(text: str) -> list[tuple[str, str]]:
    folded = FoldedText(text)
    return [(text[slice(*line.number)], text[slice(*line.birth)]) for line in mrz_lines(folded)]


def test_number_and_birth_stand_in_fixed_places() -> None:
    assert values(f"P<JPNHINODE<<AOI<<<<<<<\n{_LINE}") == [("TK0102034", "850417")]


def test_the_filler_is_no_part_of_a_short_number() -> None:
    assert values("C0102034<1DEU8504175M3004170<<<<") == [("C0102034", "850417")]


def test_other_codes_are_no_such_line() -> None:
    assert values("X" + _LINE) == values(_LINE.replace("F", "K")) == values("<b>TK0102034</b> 850417") == []
