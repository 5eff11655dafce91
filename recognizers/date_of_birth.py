"""DATE_OF_BIRTH: a date that a label, 生 or a roster says is a birth. Other dates stay.

Writings: 1990年1月5日, 1990-01-05, 19900105, 昭和55年5月5日, S55.5.5, 平成元年, 7-120823 (元号 code of forms), 一九七〇年,
14 July 1988, 11JUL1969, Showa 30 (1955), January 8; spaced by a scanner or read out (昭和四十八年の、七月二十日).
Source: 年金・健康保険届書 元号コード (1 明治, 3 大正, 5 昭和, 7 平成, 9 令和); JIS X 0301.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels

ENTITY = "DATE_OF_BIRTH"
_N = r"[0-9OoIl] ?[0-9OoIl]?"
_KN = r"[〇一二三四五六七八九十元]{1,4}"
_ERA = r"(?:明治|大正|昭和|平成|令和|[明大昭平令])"
_S = r" {0,3}"
_MONTH = r"(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[A-Za-z]{0,6}\.?"
_WRITTEN = (
    rf"(?:{_ERA}{_S}(?:元|{_N}|{_KN})|(?:1[89]|20)[0-9 ]{{2,4}}|[一二][〇一二三四五六七八九九]{{3}})"
    rf"{_S}年(?:の、?)?{_S}(?:{_N}|{_KN}){_S}月(?:の、?)?{_S}(?:{_N}|{_KN}){_S}日"
)
_NUMERIC = (
    r"(?:1[89]|20)[0-9]{2}[-/.・][ ]?(?:1[0-2]|0?[1-9])[-/.・][ ]?(?:3[01]|[12][0-9]|0?[1-9])"
    r"|(?:3[01]|[12][0-9]|0?[1-9])[-/.](?:3[01]|[12][0-9]|0?[1-9])[-/.](?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}(?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])"
)
_ERA_LETTER = (
    rf"[MTSHRmtshr][. ]?{_N}{_S}[-/.・]{_S}{_N}{_S}[-/.・]{_S}{_N}|{_ERA}{_S}{_N}{_S}[-/.・]{_S}{_N}{_S}[-/.・]{_S}{_N}"
)
_ERA_CODE = r"[13579]-[0-6][0-9](?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])"
_ENGLISH = (
    rf"[0-9]{{1,2}}(?:st|nd|rd|th)? ?{_MONTH},? ?(?:19|20)[0-9]{{2}}|{_MONTH} ?[0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}"
    rf"|(?:Meiji|Taisho|Showa|Heisei|Reiwa) [0-9]{{1,2}} ?(?:\([0-9]{{4}}\))?,? {_MONTH} [0-9]{{1,2}}"
)
# Two patterns, each with a narrow first character, so that the search skips ordinary prose.
_JAPANESE = re.compile(_WRITTEN)
_OTHERS = re.compile(
    rf"(?:(?=[0-9A-Z])(?<![0-9A-Za-z])(?:{_ENGLISH})|(?:(?<![0-9A-Za-z./-])|(?<=DOB)|(?<=dob))(?:{_ERA_LETTER}|{_ERA_CODE}|{_NUMERIC})(?![-/.][0-9]))(?![0-9A-Za-z])"
)
_BIRTH_AFTER = re.compile(r"[ )）]{0,2}(?:生(?!産|徒|活|命|成|放|まれの音)|うまれ|誕生)")
_AGE_AFTER = re.compile(r" ?[(（]?(?:満)?[0-9]{1,3}(?:歳|才)")

_HONORIFIC = re.compile(r"(?:様|さま|さん|殿|君|くん|ちゃん|氏)[ (（]{1,3}\Z")
_GENDER_BESIDE = re.compile(r"(?:男性?|女性?|[^A-Za-z][MF])[\"' )]{0,2}[,、|/\t ][\"' ]{0,2}\Z")
_DOCUMENT_BEFORE = re.compile(r"[A-Z]{2} ?[0-9]{7,8} ?(?:[A-Z]{2})?[\"' ]{0,2}[,|/\t ][\"' ]{0,2}\Z")
_DOCUMENT_AFTER = re.compile(r"[\"' ]{0,2}[,|/\t ][\"' ]{0,2}[A-Z]{2} ?[0-9]{7,8}(?![0-9])")
_OPENED = re.compile(r"[^ 0-9A-Za-z()] ?\(\Z")
_SCHOOL_YEAR = re.compile(r"\([1-6]年生?\) ?\Z")
_TIME_AFTER = re.compile(r" ?(?:午前|午後)? ?[0-9]{1,2}(?:時|:[0-9]{2})")
_ITEM = re.compile(r"[①-⑳] ?\Z")
_ERA_DATE = re.compile(_ERA_LETTER)
_CODE = re.compile(_ERA_CODE)
_PARTICULARS = frozenset({"NAME", "PENSION_NUMBER", "MY_NUMBER", "HEALTH_INSURANCE", ENTITY})


class DateOfBirthFinder:
    """Finds dates of birth."""

    entities = frozenset({ENTITY})
    name = "date_of_birth"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for pattern in (_JAPANESE, _OTHERS):
            for match in pattern.finditer(text.folded):
                score = _score(text, match)
                if score:
                    yield text.finding(match.start(), match.end(), ENTITY, score, self.name)


def _score(text: FoldedText, match: re.Match[str]) -> float:
    folded, start, end = text.folded, match.start(), match.end()
    if _BIRTH_AFTER.match(folded, end) or _AGE_AFTER.match(folded, end):
        return 0.97
    field = field_of(text, start, end)
    if field.kind == ENTITY:
        return 0.95 if field.strength >= 0.8 else 0.7
    if field.kind in ("DATE", "OTHER") and field.strength >= 0.9:
        return 0.0
    return _circumstances(text, start, end)


def _circumstances(text: FoldedText, start: int, end: int) -> float:
    """Without a label of its own: beside a person's other particulars, or while the talk is of births."""
    left, right = text.folded[max(0, start - 24) : start], text.folded[end : end + 24]
    if (
        _HONORIFIC.search(left)
        or _GENDER_BESIDE.search(left)
        or _DOCUMENT_BEFORE.search(left)
        or _DOCUMENT_AFTER.match(right)
    ):
        return 0.75
    if _SCHOOL_YEAR.search(left):
        return 0.65
    if ENTITY in topics_of(text, start, end, before=80, after=0) and not _stands_apart(text.folded, start, end):
        return 0.7
    if _ITEM.search(left) and _ERA_DATE.fullmatch(text.folded, start, end):
        return 0.6
    if _CODE.fullmatch(text.folded, start, end):
        return 0.7 if topics_of(text, start, end) & _PARTICULARS else 0.0
    return 0.65 if _OPENED.search(left) and _named(text, start) else 0.0


def _named(text: FoldedText, start: int) -> bool:
    """Whether the nearest label is a person's role: `長女 みのり (平20.1.15)`."""
    near = text.view(labels).before(start, 24)
    return bool(near) and near[0].kind == "NAME"


def _stands_apart(folded: str, start: int, end: int) -> bool:
    """A date alone on its line (the date of a document) or with a time of day."""
    alone = folded[start - 1 : start] in ("", "\n") and folded[end : end + 1] in ("", "\n")
    return alone or _TIME_AFTER.match(folded, end) is not None


def load() -> DateOfBirthFinder:
    """The finder."""
    return DateOfBirthFinder()
