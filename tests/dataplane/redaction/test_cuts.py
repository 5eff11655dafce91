from __future__ import annotations

from hypothesis import given
from support.redacting import TEXTS

from dataplane.redaction.cuts import Cut, Window, before_token, context_chars, context_start, next_cut

WINDOW = Window(step=4, soft=12, cap=40)


def test_the_end_of_a_sentence_is_a_cut_without_margin() -> None:
    assert next_cut("はいそうです。次", 0, 0, WINDOW) == Cut(7, 0, forced=False)


def test_a_full_stop_cuts_only_before_a_blank() -> None:
    assert next_cut("version 3.14", 0, 0, WINDOW) is None
    assert next_cut("It is so. Then", 0, 0, WINDOW) == Cut(9, 0, forced=False)


def test_a_full_stop_at_the_end_of_what_is_known_is_undecided() -> None:
    assert next_cut("It is so.", 0, 0, WINDOW) is None


def test_no_cut_comes_sooner_than_the_step() -> None:
    assert next_cut("。。。。。。", 2, 0, WINDOW) == Cut(6, 0, forced=False)


def test_text_without_boundary_is_cut_at_the_cap() -> None:
    assert next_cut("漢" * 40, 0, 0, WINDOW) is None
    assert next_cut("漢" * 41, 0, 0, WINDOW) == Cut(40, WINDOW.soft_margin, forced=True)


@given(TEXTS, TEXTS)
def test_a_cut_once_found_stays_whatever_follows(text: str, more: str) -> None:
    cut = next_cut(text, 0, 0, WINDOW)
    if cut is not None:
        assert next_cut(text + more, 0, 0, WINDOW) == cut


def test_an_ascii_word_is_not_cut_in_two() -> None:
    text = "番号はABC-12345です"
    assert before_token(text, 9, 0, len(text)) == 7
    assert before_token(text, 2, 0, len(text)) == 2
    assert before_token(text, 9, 8, len(text)) == 8


def test_context_begins_at_a_line_when_one_is_near() -> None:
    text = "あ" * 50 + "\n" + "い" * 50
    assert context_start(text, 101, 40) == 51
    assert context_start(text, 30, 40) == 0
    assert context_start("う" * 200, 150, 40) == 110
    assert context_chars(40) == 60
