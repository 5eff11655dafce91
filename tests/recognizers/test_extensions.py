"""Extensions under one label. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected

from recognizers.extensions import extensions


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in extensions(text)]


@pytest.mark.parametrize(
    "marked",
    [
        "内線一覧\n日出 ⟦1201⟧\n月出 ⟦1202⟧\n\n2024年",
        "内線表より抜粋 受付 ⟦101⟧／技術 ⟦118⟧／会議室 ⟦330⟧",
        "院内PHS\n内科 日出 ⟦7012⟧\n外科 月出 ⟦7045⟧\n",
        "総務⟦2011⟧、経理⟦2012⟧(いずれも内線)",
        "extension list: desk ⟦4100⟧, spa ⟦4207⟧.",
        "please call Aoi on ⟦8261⟧ if",
        "(Aoi, x⟦4471⟧)",
    ],
)
def test_a_list_is_read_item_by_item(marked: str) -> None:
    text, values = expected(marked)
    assert found(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "内線一覧は2024年版",
        "内線 4021",
        "1201、1202(いずれも税込)",
        "call me on 2024",
        "内線一覧\n定員 120名",
        "fx, x1080p",
    ],
)
def test_other_numbers_are_left(text: str) -> None:
    assert found(text) == []
