"""Column headers and what they make of the cells below."""

from __future__ import annotations

import pytest

from recognizers.folded import FoldedText
from recognizers.person_fields import NAME, OTHER, UNKNOWN, expectation

TABLE = "商品名,氏名,電話番号,{}\nりんご,青木,090-0000-0000,x\n"


@pytest.mark.parametrize(
    ("header", "meaning"),
    [("担当者", NAME), ("customer_name", NAME), ("支店", OTHER), ("会社名", OTHER), ("備考欄", UNKNOWN)],
)
def test_the_header_of_the_column_decides(header: str, meaning: int) -> None:
    text = TABLE.format(header)
    assert expectation(FoldedText(text), text.rindex("x")) == meaning


def test_running_text_expects_nothing() -> None:
    assert expectation(FoldedText("青木さんと話した。"), 0) == UNKNOWN
