"""Addresses in Chinese and Korean. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.address_abroad import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "家在⟦北京市朝阳区建国路88号3号楼1204室⟧，",
        "通訊地址：⟦台北市大安區和平東路二段106號5樓⟧",
        "⟦广东省深圳市南山区科技路12号⟧",
        "주소: ⟦서울특별시 강남구 테헤란로 152, 12층 1203호⟧",
        "우리 집은 ⟦도쿄도 신주쿠구 오쿠보 2-12-3⟧ 입니다",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "北京市朝阳区",
        "高速道路3号線",
        "県道路12号",
        "国道88号の建国路",
        "서울특별시 강남구",
        "강남구 3명이 왔다",
        "商店街3号店",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
