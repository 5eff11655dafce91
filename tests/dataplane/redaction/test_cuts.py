from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from support.redacting import TEXTS

from dataplane.redaction.cuts import Cut, Window, context_start, next_cut, settled

WINDOW = Window(step=4, soft=12, cap=40)


def test_the_end_of_a_sentence_is_a_cut_without_margin() -> None:
    assert next_cut("はいそうです。次", 0, 0, WINDOW) == Cut(7, 0, forced=False)


def test_a_full_stop_cuts_only_before_a_blank() -> None:
    assert next_cut("version 3.14", 0, 0, WINDOW) is None
    assert next_cut("Very good. Then", 0, 0, WINDOW) == Cut(10, 0, forced=False)


def test_a_full_stop_at_the_end_of_what_is_known_is_undecided() -> None:
    assert next_cut("Very good.", 0, 0, WINDOW) is None


def test_no_cut_comes_sooner_than_the_step() -> None:
    assert next_cut("、、、、、、、", 2, 0, WINDOW) == Cut(6, WINDOW.clause_margin, forced=False)


def test_the_end_of_a_sentence_may_come_after_half_a_step() -> None:
    assert next_cut("。。。。。。", 2, 0, WINDOW) == Cut(4, 0, forced=False)


def test_text_without_boundary_is_cut_at_the_cap() -> None:
    assert next_cut("漢" * 40, 0, 0, WINDOW) is None
    assert next_cut("漢" * 41, 0, 0, WINDOW) == Cut(40, WINDOW.soft_margin, forced=True)


@given(TEXTS, TEXTS)
def test_a_cut_once_found_stays_whatever_follows(text: str, more: str) -> None:
    cut = next_cut(text, 0, 0, WINDOW)
    if cut is not None:
        assert next_cut(text + more, 0, 0, WINDOW) == cut


@pytest.mark.parametrize(
    ("text", "limit", "settles"),
    [
        ("こちらはalice.smith@example.jpです", 10, 4),
        ("こちらは田中太郎さんです", 6, 4),
        ("こちらはスミスさんです", 6, 4),
        ("番号は 1234 5678 9012", 9, 3),
        ("番号はゼロキュー、ゼロ", 6, 3),
        ("生年月日は昭和 61. 9. 4です", 9, 5),
        ("She lives at Room 1204, Harumi Sky", 30, 13),
        ("住所 群 馬 県 前 橋 市 表", 12, 3),
        ("She was born on 7 February ", 20, 16),
        ("She was born on 7th of May 1981", 22, 16),
        ("We met 70 people in May or June.", 22, 20),
        ("ひらがなだけ", 3, 3),
    ],
)  # fmt: skip
def test_words_numbers_and_addresses_that_have_begun_stay_together(text: str, limit: int, settles: int) -> None:
    assert settled(text, limit, 0, len(text)) == settles


def test_nothing_settles_before_what_is_decided() -> None:
    assert settled("番号は123456789", 9, 5, 12) == 5


def test_context_begins_at_the_nearest_line_that_is_far_enough() -> None:
    window = Window(near=20, left=60)
    text = "あ" * 10 + "。" + "い" * 39 + "\n" + "う" * 100
    assert context_start(text, 15, window) == 0
    assert context_start(text, 60, window) == 11
    assert context_start(text, 75, window) == 51
    assert context_start(text, 140, window) == 80


def test_a_capped_window_holds_no_more_and_measures_the_same() -> None:
    window = Window()
    assert window.capped(64) == replace(window, cap=64)
    assert window.capped(64) is window.capped(64)
