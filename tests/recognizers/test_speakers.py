"""Who speaks in copied chats."""

from __future__ import annotations

import pytest

from recognizers.speakers import speakers, unnamed


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("もち 12:31\nおはよう\n三田 12:33\nはい", ["もち", "三田"]),
        ("12:31\tもち\tおはよう\n12:33\t三田\tはい", ["もち", "三田"]),
        ("[2024/01/02 12:31] もち: はい\n[2024/01/02 12:33] 三田: はい", ["もち", "三田"]),
        ("もち [12:31 PM]\nはい\n三田 [12:33 PM]\nはい", ["もち", "三田"]),
        ("deploy-bot 12:31\nok\nmiyu 12:33\nok\n母 12:40\nはい", ["miyu"]),
    ],
)
def test_lines_of_one_form_name_who_speaks(text: str, names: list[str]) -> None:
    assert [text[start:end] for start, end in speakers(text)] == names


@pytest.mark.parametrize(
    "text",
    [
        "朝礼 9:00",
        "朝礼は 9:00\n昼食は12:00から",
        "もち: はい\n三田: はい",
        "",
        "集荷 9:00\n三田 9:30\n配達 10:00\n終わり",
    ],
)
def test_one_line_no_time_or_a_plan_of_the_day_is_no_conversation(text: str) -> None:
    assert speakers(text) == []


def test_the_others_count_only_beside_somebody_known() -> None:
    ranges = [(0, 2), (10, 12), (20, 23)]
    assert unnamed(ranges, [(10, 12), (30, 32)]) == [(0, 2), (20, 23)]
    assert unnamed(ranges, [(3, 5)]) == []
    assert unnamed(ranges, []) == []
