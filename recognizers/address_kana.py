"""ADDRESS written in kana only: readings on forms (トウキョウト シンジュクク …) and addresses read out to a machine.

Strategy: only after the kana name of a prefecture or of a large city; then parts that end in し, く, ぐん, まち, ちょう or むら, free words, and the
block number in digits or number words. Bounded: twelve words, sixteen characters each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.places import Places, places

ENTITY = "ADDRESS"
_TO_HIRAGANA = {code: chr(code - 0x60) for code in range(ord("ァ"), ord("ン") + 1)}
# How kana names of prefectures end; looked for first, because everything else here is dear.
_PREFECTURE = re.compile("けん|ケン|うきょうと|ウキョウト|さかふ|サカフ|ょうとふ|ョウトフ|かいどう|カイドウ")
# Cities with wards, which people name without their prefecture: the city, then its ward.
_CITIES = "さっぽろ|せんだい|さいたま|ちば|よこはま|かわさき|さがみはら|にいがた|しずおか|はままつ|なごや|きょうと|おおさか|さかい|こうべ|おかやま|ひろしま|きたきゅうしゅう|ふくおか|くまもと"
_KANA_BEFORE = re.compile(
    "[1-9](?:(?<=[ぁ-んァ-ヶー]{2}.)|(?<=[ぁ-んァ-ヶー]{2} .))(?<![はがをにで].)[0-9]{0,3}[-ーの][0-9]"
)
_NUMBER = "(?:[0-9]{1,5}|ぜろ|れい|いち|に|さん|よん|し|ご|ろく|なな|しち|はち|きゅう|く|じゅう)"
_UNIT = "(?:ちょうめ|ばんち|ばん|ごう)"
_BLOCK = f"{_NUMBER}{{1,4}}(?: ?{_UNIT})?(?:(?: ?(?:[-ー]|の) ?| )(?=[0-9ぜれいにさよしごろなはきくじ]){_NUMBER}{{1,4}}(?: ?{_UNIT})?){{0,5}}"


class KanaAddressFinder:
    """Addresses in kana."""

    entities = frozenset({ENTITY})
    name = "address_kana"

    def __init__(self, gazetteer: Places) -> None:
        names = "|".join(gazetteer.kana_prefectures)
        self._pattern = re.compile(
            f"(?:(?<![ぁ-ん])|(?<=しょは)|(?<=さきは))(?:(?:{names})[ 、]?[ぁ-んー]{{1,12}}?(?:し|ぐん|く|まち|ちょう|むら)|(?:{_CITIES})し[ 、]?[ぁ-んー]{{1,12}}?く)[ 、]?"
            f"(?:[ぁ-んー]{{1,16}}[ 、]?){{0,6}}?(?:{_BLOCK})(?:(?<=[0-9])(?![0-9])|(?![ぁ-ん]))(?:[ 、]{{1,2}}[ぁ-んー]{{2,12}} ?[0-9]{{1,4}}(?:ごうしつ)?)?"
        )

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        if _PREFECTURE.search(text.folded) is None and _KANA_BEFORE.search(text.folded) is None:
            return
        for match in self._pattern.finditer(text.view(hiragana)):
            yield text.finding(match.start(), match.end(), ENTITY, 0.85, self.name)


def hiragana(text: FoldedText) -> str:
    """`text.folded` with katakana as hiragana; same length."""
    return text.folded if text.folded.isascii() else text.folded.translate(_TO_HIRAGANA)


def load() -> KanaAddressFinder:
    """The finder, with the gazetteer in memory."""
    return KanaAddressFinder(places())
