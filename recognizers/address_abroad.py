"""ADDRESS in Chinese and Korean: places there, and Japanese ones written so (도쿄도 신주쿠구 …).

Strategy: from the large to the small, each part ends in its own sign: 市 区 路 号 室, 시 구 로 길 호. A number with its sign (or, in
Korean, after a street or a ward) must close the run; a city alone stays.
Bounded: 90 characters.
Source: GB/T 2260, 中华人民共和国民政部 地名管理条例; 도로명주소법 (street name, building number, floor and room).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "ADDRESS"
_H = "[一-龠]"
_N = "[0-9〇一二三四五六七八九十]{1,5}"
# The sign after the number leads to it: few texts have one.
_SIGN = re.compile("[号號](?<=[0-9〇一二三四五六七八九十].)")
_NUMBERED = re.compile(rf"[路街道巷弄段里村坊](?:{_N}[弄巷])?{_N}(?:(?:之|-)[0-9]{{1,3}})?[号號]\Z")
_BEFORE = re.compile(
    rf"(?:(?<!{_H})|(?<=[在住到于於是址]))(?!{_H}?[在住到于於])(?:(?:中国|中國|台灣|台湾|香港)?(?:{_H}{{2,3}}[省州])?{_H}{{2,4}}[市縣县])(?:{_H}{{1,6}}?[区區县縣市鄉乡鎮镇])?(?:{_H}{{1,6}}?(?:街道|里|村))?{_H}{{0,8}}(?:{_N}[段])?$"
)
_INSIDE = re.compile(
    rf" ?(?:[0-9A-Z]{{1,4}}|{_H}{{1,8}}|{_N})(?:号楼|號樓|中心|广场|廣場|学院|医院|大厦|大廈|公寓|花园|小区|栋|棟|幢|座|单元|單元|楼|樓|层|層|室|房|户|戶)(?:之[0-9])?"
)
_K = "[가-힣]"
_KOREAN = re.compile(
    rf"[가-힣](?<!{_K}.){_K}{{1,6}}(?:시|도)(?: {_K}{{1,6}}(?:시|군|구)){{1,2}}(?: (?=[0-9]{{0,3}}{_K})(?:{_K}|[0-9]){{1,10}}){{1,3}},? [0-9]{{1,4}}(?:-[0-9]{{1,4}}){{0,3}}(?:번지|번길 [0-9]{{1,4}})?"
    rf"(?:,? ?(?:(?:{_K}|[A-Za-z]){{1,10}}(?:빌딩|아파트|타워|빌라|오피스텔|맨션|하우스) ?)?(?:[0-9]{{1,4}}동)?(?: ?[0-9]{{1,3}}층)?(?: ?[0-9]{{1,4}}호)?)?(?<! )(?![0-9])"
)


class AbroadAddressFinder:
    """Addresses in Chinese and Korean."""

    entities = frozenset({ENTITY})
    name = "address_abroad"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        folded = text.folded
        for sign in _SIGN.finditer(folded) if "号" in folded or "號" in folded else ():
            number = _NUMBERED.search(folded, max(0, sign.start() - 16), sign.end())
            before = number and _BEFORE.search(folded, max(0, number.start() - 32), number.start() + 1)
            if before:
                yield text.finding(before.start(), _inside(folded, sign.end()), ENTITY, 0.85, self.name)
        if "구 " in folded or "시 " in folded or "군 " in folded:
            for match in _KOREAN.finditer(folded):
                yield text.finding(*match.span(), ENTITY, 0.85, self.name)


def _inside(folded: str, end: int) -> int:
    """Where building, floor and room end."""
    for _ in range(4):
        match = _INSIDE.match(folded, end)
        if match is None:
            break
        end = match.end()
    return end


def load() -> AbroadAddressFinder:
    """The finder."""
    return AbroadAddressFinder()
