"""Which label speaks for a value."""

from __future__ import annotations

import pytest

from recognizers.context import NO_FIELD, field_of, topics_of
from recognizers.folded import FoldedText


def kind(text: str, value: str = "1234567") -> str:
    folded = FoldedText(text)
    start = folded.folded.index(value)
    return field_of(folded, start, start + len(value)).kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("口座番号: 1234567", "BANK_ACCOUNT"),
        ("注文番号 1234567、口座 7654321", "OTHER"),
        ("1234567が個人番号です", "MY_NUMBER"),
        ("1234567(マイナンバー)", "MY_NUMBER"),
        ("郵便番号\n1234567", "POSTAL_CODE"),
        ('{"passport_no": "1234567"}', "PASSPORT"),
        ("<MyNumber>1234567</MyNumber>", "MY_NUMBER"),
        ("氏名,郵便番号\n佐藤,1234567", "POSTAL_CODE"),
        ("年金の番号は、えーと、番号が 1234567", "PENSION_NUMBER"),
        ("口座を閉じました。1234567", ""),
        ("<zip>不明</zip><ref>1234567</ref>", ""),
    ],
)
def test_the_nearest_telling_label_names_the_value(text: str, expected: str) -> None:
    assert kind(text) == expected


def test_a_label_beside_the_value_is_surer_than_one_across_another_value() -> None:
    text = FoldedText("旅券 1111111、次 1234567")
    near, far = text.folded.index("1111111"), text.folded.index("1234567")
    assert field_of(text, near, near + 7).strength > field_of(text, far, far + 7).strength > 0


def test_without_any_label_there_is_no_field_and_no_topic() -> None:
    text = FoldedText("あいうえお 1234567")
    assert field_of(text, 6, 13) is NO_FIELD
    assert topics_of(text, 6, 13) == frozenset()


def test_topics_are_all_kinds_within_reach() -> None:
    text = FoldedText("年金と口座の話。" + "あ" * 10 + "1234567")
    assert {"PENSION_NUMBER", "BANK_ACCOUNT"} <= topics_of(text, 18, 25)
    assert topics_of(text, 18, 25, before=5) == frozenset()
