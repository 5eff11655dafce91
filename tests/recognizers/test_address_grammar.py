"""Block numbers and buildings."""

from __future__ import annotations

import pytest

from recognizers.address_grammar import BUILDING, ONLY_BLOCK, judge_block


@pytest.mark.parametrize(
    ("block", "strength"),
    [
        ("3丁目2番1号", 2), ("三丁目十二番地の五", 2), ("1-2-3", 2), ("96番地", 2), ("4条6丁目2-6", 2), ("3-18", 1), ("2の5", 1), ("80", 0),
        ("2025-11-03", -1), ("03-0000-1111", -1), ("100-0001", -1), ("12月", -1), ("3人", -1), ("5,000", -1),
    ],
)  # fmt: skip
def test_a_block_is_judged_by_what_it_can_only_be(block: str, strength: int) -> None:
    match = ONLY_BLOCK.match(block)
    assert match is not None
    assert judge_block(block, *match.span()) == strength


@pytest.mark.parametrize(
    "building",
    [" 北条第二ビル7F", "コーポ潮101", " メゾン曼殊院 305", " 県営住宅4棟102", " グランシャリオ新羽601", "\n大手ビル5階", " コーポ布施 301", " 201号室", " 第3みどり荘 2-B"],
)  # fmt: skip
def test_a_building_is_read_to_its_room(building: str) -> None:
    match = BUILDING.match(building)
    assert match is not None
    assert match.end() == len(building)


@pytest.mark.parametrize(
    "text", [" 工藤シゲ様", " 経理課 三宅 結衣宛", "に本社を置く衣料品のストア", "の自宅前", "、電話 03"]
)
def test_a_name_or_prose_after_the_block_is_no_building(text: str) -> None:
    assert BUILDING.match(text) is None
