"""Characters set apart."""

from __future__ import annotations

import pytest

from recognizers.spaced import spaced_lines, spaced_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("住 所 東京", ["住所"]),
        ("数量は 三 つ", ["三つ"]),
        ("数量は 三", []),
        ("氏  名", ["氏名"]),
        ("生 年 月 日: 3", ["生年月日"]),
        ("住所", []),
        ("a b c", []),
        ("山\n川", []),
    ],
)
def test_words_are_read_without_their_spaces(text: str, words: list[str]) -> None:
    assert [word.text for word in spaced_words(text)] == words


def test_a_line_is_read_without_spaces_and_leads_back() -> None:
    text = "上\n 埼 玉 県 O 丁 目\n下"
    (line,) = spaced_lines(text)
    assert line.text == "埼玉県0丁目"
    assert text[slice(*line.span(0, 3))] == "埼 玉 県"


@pytest.mark.parametrize("text", ["佐藤 様 東京 です", "a b c d e f g", "   ", "山"])
def test_ordinary_lines_are_left(text: str) -> None:
    assert list(spaced_lines(text)) == []
