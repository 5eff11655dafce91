"""DATE_OF_BIRTH: a date that a label, 生 or a roster says is a birth. Other dates stay.

Writings: 1990年1月5日, 1990-01-05, 19900105, 昭和55年5月5日, S55.5.5, 平成元年, 7-120823 (元号 code of forms), 一九七〇年,
14 July 1988, 11JUL1969, Showa 30 (1955), January 8; spaced by a scanner or read out (昭和四十八年の、七月二十日).
Source: 年金・健康保険届書 元号コード (1 明治, 3 大正, 5 昭和, 7 平成, 9 令和); JIS X 0301.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "DATE_OF_BIRTH"
_N = r"[0-9OoIl] ?[0-9OoIl]?"
_KN = r"[〇一二三四五六七八九十元]{1,4}"
_ERA = r"(?:明治|大正|昭和|平成|令和|[明大昭平令])"
_S = r" {0,3}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]{0,6}\.?"
_WRITTEN = (
    rf"(?:{_ERA}{_S}(?:元|{_N}|{_KN})|(?:1[89]|20)[0-9 ]{{2,4}}|[一二][〇一二三四五六七八九九]{{3}})"
    rf"{_S}年(?:の、?)?{_S}(?:{_N}|{_KN}){_S}月(?:の、?)?{_S}(?:{_N}|{_KN}){_S}日"
)
_NUMERIC = (
    r"(?:1[89]|20)[0-9]{2}[-/.・][ ]?(?:1[0-2]|0?[1-9])[-/.・][ ]?(?:3[01]|[12][0-9]|0?[1-9])"
    r"|(?:3[01]|[12][0-9]|0?[1-9])[-/.](?:3[01]|[12][0-9]|0?[1-9])[-/.](?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}(?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])"
)
_ERA_LETTER = rf"[MTSHRmtshr][. ]?{_N}{_S}[-/.・]{_S}{_N}{_S}[-/.・]{_S}{_N}|{_ERA}{_S}{_N}{_S}[-/.・]{_S}{_N}{_S}[-/.・]{_S}{_N}"
_ERA_CODE = r"[13579]-[0-6][0-9](?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])"
_ENGLISH = (
    rf"[0-9]{{1,2}}(?:st|nd|rd|th)? ?{_MONTH},? ?(?:19|20)[0-9]{{2}}|{_MONTH} ?[0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}"
    rf"|(?:Meiji|Taisho|Showa|Heisei|Reiwa) [0-9]{{1,2}} ?(?:\([0-9]{{4}}\))?,? {_MONTH} [0-9]{{1,2}}"
)
_DATE = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_ENGLISH})(?![0-9A-Za-z])|{_WRITTEN}|(?<![0-9A-Za-z./-])(?:{_ERA_LETTER}|{_ERA_CODE}|{_NUMERIC})(?![0-9A-Za-z]|[-/.][0-9])",
    re.IGNORECASE,
)
_BIRTH_AFTER = re.compile(r"[ )）]{0,2}(?:生(?!産|徒|活|命|成|放|まれの音)|うまれ|誕生)")
_AGE_AFTER = re.compile(r" ?[(（]?(?:満)?[0-9]{1,3}(?:歳|才)")


class DateOfBirthFinder:
    entities = frozenset({ENTITY})
    name = "date_of_birth"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        for match in _DATE.finditer(text.folded):
            score = _score(text, match)
            if score:
                yield text.finding(match.start(), match.end(), ENTITY, score, self.name)


def _score(text: FoldedText, match: re.Match[str]) -> float:
    folded = text.folded
    if _BIRTH_AFTER.match(folded, match.end()) or _AGE_AFTER.match(folded, match.end()):
        return 0.97
    field = field_of(text, match.start(), match.end())
    if field.kind == ENTITY:
        return 0.95 if field.strength >= 0.8 else 0.6
    return 0.0


def load() -> DateOfBirthFinder:
    return DateOfBirthFinder()
