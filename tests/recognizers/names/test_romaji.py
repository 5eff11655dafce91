"""Readings to romaji."""

from __future__ import annotations

import pytest

from recognizers.names.romaji import plain, romanise, spell


@pytest.mark.parametrize(
    ("kana", "latin"),
    [
        ("しゅんいち", "shunichi"),
        ("きょうこ", "kyouko"),
        ("はっとり", "hattori"),
        ("まっちゃ", "matcha"),
        ("じゅん", "jun"),
    ],
)
def test_plain_hepburn(kana: str, latin: str) -> None:
    assert spell(kana) == latin


def test_long_vowels_are_written_in_all_usual_ways() -> None:
    assert romanise("おおの") == {"oono", "ono", "ohno"}


def test_n_before_b_m_p_may_be_m() -> None:
    assert {"nanba", "namba"} <= romanise("なんば")


def test_text_without_kana_gives_no_spelling() -> None:
    assert romanise("漢字") == set()


def test_signs_leave_long_vowels_out() -> None:
    assert [plain(kana) for kana in ("とうきょう", "おおさか", "ゆうばり")] == ["tokyo", "osaka", "yubari"]
