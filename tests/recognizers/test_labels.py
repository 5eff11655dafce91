"""Labels in a text."""

from __future__ import annotations

from recognizers.folded import FoldedText
from recognizers.labels import Labels, labels
from recognizers.vocabulary import vocabulary


def words(text: str) -> list[tuple[str, str]]:
    found = FoldedText(text).view(labels)
    return [(label.word, label.kind) for label in found.between(0, len(text))]


def test_the_longest_label_wins() -> None:
    assert words("雇用保険被保険者番号") == [("雇用保険被保険者番号", "OTHER")]
    assert words("基礎年金番号") == [("基礎年金番号", "PENSION_NUMBER")]


def test_english_labels_are_whole_words_in_any_case() -> None:
    assert words("Passport No") == [("passport no", "PASSPORT")]
    assert words("shipping hotel mytel") == []


def test_a_label_of_one_kanji_is_not_the_end_of_a_name() -> None:
    assert words("信子") == []
    assert words("妻 花") == [("妻", "NAME")]


def test_near_labels_come_nearest_first_and_within_reach() -> None:
    found = FoldedText("電話 口座 1234567 生年月日").view(labels)
    assert [label.kind for label in found.before(6, 20)] == ["BANK_ACCOUNT", "PHONE_NUMBER"]
    assert [label.kind for label in found.before(6, 2)] == ["BANK_ACCOUNT"]
    assert [label.kind for label in found.after(13, 3)] == ["DATE_OF_BIRTH"]


def test_the_vocabulary_is_lower_case_and_has_no_empty_label() -> None:
    table = vocabulary()
    assert all(word and word == word.lower() for word in table)
    assert all(FoldedText(word).lowered == word for word in table)


def test_kinds_are_those_of_the_labels_found() -> None:
    assert Labels(FoldedText("電話と住所")).kinds == {"PHONE_NUMBER", "ADDRESS"}
    assert Labels(FoldedText("来週の件")).kinds == frozenset()
