"""HEALTH_INSURANCE: 記号 and 番号 of an insurance card, 保険者番号, and 被保険者番号 of 介護 and 後期高齢者医療.

記号 and 番号 have no fixed form (`沖国12・3456789`, `広市-安`, two digits): a label pattern reads them, and only where the
text is about health insurance. Asking for them outside insurance is forbidden (健康保険法194条の2), so they are personal.
Source: 厚生労働省 被保険者証 様式; 保険者番号 eight digits (six for 国保) with a check digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers import checksums
from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.numbers import numbers, readings

ENTITY = "HEALTH_INSURANCE"
_GAP = r"[ \t:：=は、,が「『(\"']{0,6}(?:ええ、)?"
_VALUE = r"(?:[一-龠々ァ-ヶA-Za-z]{1,5}[ ・.-]{0,2})?[0-9OoIl〇零一二三四五六七八九](?:[0-9OoIl〇零一二三四五六七八九]|[-・.](?=[0-9])| - (?=[0-9])|の(?=[0-9〇零一二三四五六七八九])){0,15}"
_LETTERS = r"[一-龠々]{1,4}[-・][一-龠々]{1,4}"
_SYMBOL = re.compile(
    rf"(?:記号(?:番号|・番号|/番号)?|[Ss]ymbol(?:/[Nn]umber)?){_GAP}(?P<symbol>{_VALUE}|{_LETTERS})"
    rf"(?:[ \t、,・」』)と\n]{{0,4}}(?:and )?(?:番号|[Nn]umber|No\.){_GAP}(?P<number>{_VALUE}))?"
)
_TOPIC = frozenset({ENTITY})
_INSURED = frozenset({"被保険者番号", "介護保険被保険者番号", "保険証番号", "保険証", "介護保険証", "insured number"})


class HealthInsuranceFinder:
    entities = frozenset({ENTITY})
    name = "health_insurance"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        yield from self._labelled(text)
        yield from self._numbers(text)

    def _labelled(self, text: FoldedText) -> Iterator[Finding]:
        for match in _SYMBOL.finditer(text.folded):
            score = _pair_score(text, match)
            for part in ("symbol", "number"):
                if match[part] is not None:
                    yield text.finding(*match.span(part), ENTITY, score, self.name)

    def _numbers(self, text: FoldedText) -> Iterator[Finding]:
        for length, found in text.view(readings).items():
            for number in found if length in (6, 7, 8, 10) else ():
                field = field_of(text, number.start, number.end)
                if field.kind == ENTITY and field.strength >= 0.6:
                    yield text.finding(number.start, number.end, ENTITY, 0.85 if length > 6 or checksums.insurer_number(number.digits) else 0.6, self.name)
        for number in text.view(numbers):
            if number.style == "spoken" or len(number.digits) < 6:
                field = field_of(text, number.start, number.end)
                if field.kind == ENTITY and field.strength >= 0.95 and len(number.digits) >= 2:
                    yield text.finding(number.start, number.end, ENTITY, 0.8, self.name)


def _pair_score(text: FoldedText, match: re.Match[str]) -> float:
    topics = topics_of(text, *match.span())
    around = topics_of(text, match.start(), match.end(), before=80)
    if "BANK_ACCOUNT" in around and not _health_word_near(text, match):
        return 0.0
    return 0.9 if ENTITY in topics else 0.4


def _health_word_near(text: FoldedText, match: re.Match[str]) -> bool:
    near = text.folded[max(0, match.start() - 60) : match.end() + 30]
    return any(word in near for word in ("保険", "健保", "国保", "療養", "適用認定", "資格", "nsur"))


def load() -> HealthInsuranceFinder:
    return HealthInsuranceFinder()
