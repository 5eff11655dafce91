"""Variant tables: sound as data."""

from __future__ import annotations

from recognizers.variants import OLD_TO_NEW, SAME_KANJI


def test_every_pair_joins_two_different_single_characters() -> None:
    for table in (SAME_KANJI, OLD_TO_NEW):
        assert all(len(old) == len(new) == 1 and old != new for old, new in table.items())


def test_no_result_is_itself_an_old_form() -> None:
    assert not set(SAME_KANJI.values()) & set(SAME_KANJI)
    assert not set(OLD_TO_NEW.values()) & set(OLD_TO_NEW)
