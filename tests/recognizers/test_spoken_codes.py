"""Codes read out in Japanese."""

from __future__ import annotations

import re

import pytest

from recognizers.spoken_codes import PAUSE, digits, letters

_CODE = re.compile(letters(2) + PAUSE + digits(4))


@pytest.mark.parametrize(
    "said", ["シーディーの〇一二三", "シー、ディー、ゼロイチニーサン", "CDの0123", "エッチの、ゼットの、ぜろいちにさん"]
)
def test_letters_and_digits_are_one_code(said: str) -> None:
    assert _CODE.fullmatch(said)


@pytest.mark.parametrize("said", ["シーの〇一二三", "シーディーの〇一二", "シーディーは〇一二三"])
def test_other_counts_and_particles_are_none(said: str) -> None:
    assert _CODE.search(said) is None
