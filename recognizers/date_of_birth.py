"""DATE_OF_BIRTH: a date that a label, 生 or a roster says is a birth. Other dates stay.

Which writings are dates: `dates`. A date is a birth when its field is labelled so, when 生/生まれ or an age follows, when it
stands in brackets after a person or beside other particulars of one (sex, passport), or while the talk is of births.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of, topics_of
from recognizers.dates import Date, dates, is_code, is_era_letter
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels

ENTITY = "DATE_OF_BIRTH"
_BIRTH_AFTER = re.compile(
    r"[ )]{0,2}に?(?:生(?!産|徒|活|命|成|放|演|物|鮮|中|配|協|誕祭|まれの音)|産まれ|うまれ|出生|誕生(?!日))"
)
_PERSON_AFTER = re.compile(
    r"[ 、,|/\t]{1,3}(?:[男女]性?(?![一-龠])[ 、,|/\t]{0,3})(?:[0-9]{1,3}(?:歳|才))?|[ 、,]{1,2}[0-9]{1,3}(?:歳|才)(?![でのにとを])"
)
_AGE_BEFORE = re.compile(r"[0-9]{1,3}(?:歳|才)[ )、,(]{1,2}\Z")
_AGE_AFTER = re.compile(r" ?[(（]?(?:満)?[0-9]{1,3}(?:歳|才)")

_HONORIFIC = re.compile(r"(?:様|さま|さん|殿|君|くん|ちゃん|氏)[ (（]{1,3}\Z")
_GENDER_BESIDE = re.compile(r"(?:男性?|女性?|[^A-Za-z][MF])[\"' )]{0,2}[,、|/\t ][\"' ]{0,2}\Z")
_DOCUMENT_BEFORE = re.compile(r"[A-Z]{2} ?[0-9]{7,8} ?(?:[A-Z]{2})?[\"' ]{0,2}[,|/\t ][\"' ]{0,2}\Z")
_DOCUMENT_AFTER = re.compile(r"[\"' ]{0,2}[,|/\t ][\"' ]{0,2}[A-Z]{2} ?[0-9]{7,8}(?![0-9])")
_OPENED = re.compile(r"[^ 0-9A-Za-z()] ?\(\Z")
_SCHOOL_YEAR = re.compile(r"\([1-6]年生?\) ?\Z")
_TIME_AFTER = re.compile(r"[ T]?(?:午前|午後)? ?[0-9]{1,2}(?:時|:[0-9]{2})")
# What happened on the day, right behind it: 9月13日受傷. 手術日 and the like are labels of the next field.
_EVENT_AFTER = re.compile(
    "に?(?:受傷|負傷|転倒|転落|骨折|発症|発病|入院|退院|転院|搬送|手術|施行|初診|受診|再診|来院|診断|死亡|逝去|入社|退社|入学|卒業|着任|開始|終了|契約|購入|発行)(?![日者])"
)
_ITEM = re.compile(r"[①-⑳] ?\Z")
_PARTICULARS = frozenset({"NAME", "PENSION_NUMBER", "MY_NUMBER", "HEALTH_INSURANCE", ENTITY})


class DateOfBirthFinder:
    """Finds dates of birth."""

    entities = frozenset({ENTITY})
    name = "date_of_birth"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for date in dates(text):
            score = _score(text, date)
            if score:
                yield text.finding(date.start, date.end, ENTITY, score, self.name)


def _score(text: FoldedText, date: Date) -> float:
    folded, start, end = text.folded, date.start, date.end
    if _BIRTH_AFTER.match(folded, end) or _AGE_AFTER.match(folded, end):
        return 0.97
    field = field_of(text, start, end)
    if _EVENT_AFTER.match(folded, end):
        return 0.0
    if field.kind == ENTITY:
        return 0.95 if field.strength >= 0.8 else 0.7
    if field.kind in ("DATE", "OTHER") and field.strength >= 0.9:
        return 0.0
    if date.weak:
        return 0.7 if is_code(folded, date) and topics_of(text, start, end) & _PARTICULARS else 0.0
    return _circumstances(text, date)


def _circumstances(text: FoldedText, date: Date) -> float:
    """Without a label of its own: beside a person's other particulars, or while the talk is of births."""
    start, end = date.start, date.end
    left, right = text.folded[max(0, start - 24) : start], text.folded[end : end + 24]
    if _HONORIFIC.search(left) or _GENDER_BESIDE.search(left) or _DOCUMENT_BEFORE.search(left):
        return 0.75
    if _DOCUMENT_AFTER.match(right) or _PERSON_AFTER.match(right) or _AGE_BEFORE.search(left):
        return 0.75
    if _SCHOOL_YEAR.search(left):
        return 0.65
    if ENTITY in topics_of(text, start, end, before=80, after=0) and not _stands_apart(text.folded, start, end):
        return 0.7
    if _ITEM.search(left) and is_era_letter(text.folded, date):
        return 0.6
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
