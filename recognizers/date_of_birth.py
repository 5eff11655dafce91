"""DATE_OF_BIRTH: a date that a label, 生 or a roster says is a birth. Other dates stay.

Which writings are dates: `dates`. A date is a birth when its field is labelled so, when 生/生まれ or an age follows, when
it stands among other particulars of a person (`birth_signs`), in a passport's machine-readable lines (`mrz`), in the next
row of a list of such (`rosters`), or while the talk is of births.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.birth_rows import in_row
from recognizers.birth_signs import (
    AGE_AFTER,
    BIRTH_AFTER,
    BIRTH_BEFORE,
    after_person,
    beside_particulars,
    listed_letter,
    of_life,
)
from recognizers.context import BEHIND, field_of, topics_of
from recognizers.dates import Date, dates, is_code, is_early
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.mrz import mrz_lines
from recognizers.rosters import Roster

ENTITY = "DATE_OF_BIRTH"
# What a label of its own gives at least.
_SURE = 0.9
_TIME_AFTER = re.compile(r"[ T]?(?:午前|午後)? ?[0-9]{1,2}(?:時|:[0-9]{2})")
# What happened on the day, right behind it: 9月13日受傷. 手術日 and the like are labels of the next field.
_EVENT_AFTER = re.compile(
    "に?(?:受傷|負傷|転倒|転落|骨折|発症|発病|入院|退院|転院|搬送|手術|施行|初診|受診|再診|来院|診断|死亡|逝去|入社|退社|退職|入学|卒業|着任"
    "|開始|終了|契約|購入|発行|撮影|発売|公開|開催|開業|開設|設立|創業|発足|就任|結婚|取得|登録|更新|作成|提出|締結|竣工|完成|改正|公布|制定|判決|付[でけ、])(?![日者])"
)
# 入会日: a day of something else. The word is not always in the vocabulary.
_OTHER_DAY = re.compile(
    r"(?<![年生])[一-龠]{1,3}(?<!生年月)(?<!誕生)(?<!出生)日[ :：/|\"',\t(]{0,4}\Z|(?<!れた)(?<!誕生)の日[ (]{1,2}\Z"
)
# A date between the label and this one: the label was for that.
_DATED = re.compile(
    r"[0-9〇一二三四五六七八九十元][年/.-] ?[0-9一二三四五六七八九十]|[0-9][ /-][A-Z][a-z]{2,8}[ /-][0-9]{4}|[A-Z][a-z]{2,8} [0-9]{1,2}, [0-9]{4}"
)
# 3月3日生まれ: the word is of the date before it.
# A date with its month and day between, whatever the label's distance.
_WHOLE = re.compile(r"[0-9]{1,4}[年/.-] ?[0-9]{1,2}[月/.-] ?[0-9]{1,2}")
# Whole years of people, dates nobody has, and what stands for no date.
_COHORT_AFTER = re.compile(r"[」』]? ?(?:以[前後降]|(?:から|~) ?(?:[明大昭平令]|[0-9]{4}))")
_COHORT_BEFORE = re.compile(
    r"(?:日(?:以[前後降])?(?:から|~)|[0-9] ?~|(?i:between) [\"']?| (?:[<>]=?|(?i:and)) [\"']) ?\Z"
)
_SUPPOSED_AFTER = re.compile("[」』]?(?:のよう[なに]|より[前後]|といった|みたいな|などの(?:日付|値))")
_SENTINEL = re.compile("(?:1900|1970|0001|2000)[-/年]0?1[-/月]0?1日?|(?:1900|1970)0101|9999.*")
_OF_BEFORE = re.compile("[0-9日]に?\\Z")
# birthday=date(1990, 2, 28): what names the value stands before the call.
_CALL = re.compile(
    r"(?:(?:datetime\.)?(?:date|datetime)|(?:Local)?Date(?:Time)?(?:\.(?:of|new|parse|valueOf|UTC|civil|from))?|new Date|DATE|TO_DATE)\([\"']?\Z|(?:!date|::date ?=) ?[\"']?\Z|\{ ?[\"']\$date[\"'] ?: ?[\"']\Z"
)
_LIST = re.compile("(?:の)?(?:リスト|一覧|表|名簿|まとめ)")
# Another writing of the same date stands no farther away.
_BESIDE = 4
# Between two other dates of a list nothing tells of a person; each would be looked at from all sides.
_AMONG_LEFT = re.compile(r"(?:[-/.月][0-9]{1,2}日?|日)[ \t\n,、]{1,2}\Z")
_AMONG_RIGHT = re.compile(r"[ \t\n,、]{1,2}[0-9]{4}[-/.年]")
_OPENERS = frozenset("(\"' ")
_HOUR_AFTER = re.compile(r" (?!00:00)[0-2][0-9]:[0-5][0-9](?![0-9:])")
# 例:19800401.
_SAMPLE = re.compile(r"(?<![一-龠])(?:記入|入力)?例[ :(「『]{1,2}\Z")
_PARTICULARS = frozenset({"NAME", "PENSION_NUMBER", "MY_NUMBER", "HEALTH_INSURANCE", ENTITY})


class DateOfBirthFinder:
    """Finds dates of birth."""

    entities = frozenset({ENTITY})
    name = "date_of_birth"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        roster = Roster(text.folded)
        for date in dates(text):
            score = _score(text, date) or (0.65 if roster.goes_on(date) and not _named(text, date) else 0.0)
            if score:
                if score < _SURE:
                    roster.add(date)
                hour = _HOUR_AFTER.match(text.folded, date.end) if score > _SURE else None
                yield text.finding(date.start, hour.end() if hour else date.end, ENTITY, score, self.name)
        for line in mrz_lines(text):
            yield text.finding(*line.birth, ENTITY, 0.97, self.name)


def _named(text: FoldedText, date: Date) -> bool:
    """Whether a label or a column says what the date is."""
    field = field_of(text, date.start, date.end)
    return field.kind in ("DATE", "OTHER") and field.strength >= 0.6


def _score(text: FoldedText, date: Date) -> float:
    call = None
    if text.folded[date.start - 1 : date.start] in _OPENERS:
        call = _CALL.search(text.folded, max(0, date.start - 24), date.start)
    if call is not None:
        date = Date(call.start(), date.end, weak=False)
    folded, start, end = text.folded, date.start, date.end
    if "生まれ" in folded[start:end]:
        return 0.95
    if of_life(folded, date):
        return 0.8
    if _SAMPLE.search(folded, max(0, start - 8), start) or _nobodys(folded, start, end):
        return 0.0
    if BIRTH_AFTER.match(folded, end) or AGE_AFTER.match(folded, end):
        return 0.97
    if BIRTH_BEFORE.search(folded, max(0, start - 32), start):
        return 0.95
    field = field_of(text, start, end)
    if _EVENT_AFTER.match(folded, end):
        return 0.0
    other_day = _OTHER_DAY.search(folded, max(0, start - 8), start) is not None
    # 就職 6・4・1 生年月日 2・1・19: a form that versions share has its label before it.
    if field.kind == ENTITY and date.weak and field.strength == BEHIND:
        return 0.0
    if field.kind == ENTITY and (other_day or _taken(text, date, sure=field.strength >= 0.8)):
        return 0.0
    if field.kind == ENTITY:
        return 0.95 if field.strength >= 0.8 else 0.7
    # 元号コード is no kind of its own.
    era_code = date.weak and field.word == "コード" and is_code(folded, date)
    named = field.kind in ("DATE", "OTHER") and field.strength >= 0.9 and not era_code
    if named or other_day:
        return 0.0
    if date.weak:
        return _weak_score(text, date)
    # A column of something else (remarks) may still hold a birth with its signs.
    listed = field.kind == "OTHER" and not field.word
    if in_row(folded, date):
        return 0.65
    if _AMONG_LEFT.search(folded, max(0, start - 4), start) and _AMONG_RIGHT.match(folded, end):
        return 0.0
    return 0.75 if beside_particulars(folded, date) else 0.0 if listed else _circumstances(text, date)


def _nobodys(folded: str, start: int, end: int) -> bool:
    """Whether the date bounds a cohort, is only supposed, or stands for none."""
    if _COHORT_AFTER.match(folded, end) or _COHORT_BEFORE.search(folded, max(0, start - 12), start):
        return True
    return _SUPPOSED_AFTER.match(folded, end) is not None or _SENTINEL.fullmatch(folded, start, end) is not None


def _weak_score(text: FoldedText, date: Date) -> float:
    """A form that other codes share: only where the talk is of births or, for forms' codes, of a person's particulars."""
    topics = topics_of(text, date.start, date.end, before=80)
    if ENTITY in topics and text.folded[date.start].isalpha():
        return 0.65
    if not is_code(text.folded, date):
        return 0.0
    named = "元号" in text.folded[max(0, date.start - 60) : date.start]
    return 0.7 if named or topics_of(text, date.start, date.end) & _PARTICULARS else 0.0


def _circumstances(text: FoldedText, date: Date) -> float:
    """Without a label of its own: beside a person's other particulars, or while the talk is of births."""
    start, end = date.start, date.end
    if after_person(text, date):
        return 0.7
    near = ENTITY in topics_of(text, start, end, before=80, after=0)
    if near and not _stands_apart(text.folded, start, end) and not _taken(text, date, sure=False):
        return 0.7
    return 0.6 if listed_letter(text.folded, date) else 0.0


def _taken(text: FoldedText, date: Date, *, sure: bool) -> bool:
    """Whether the nearest label of births has its date already, and this one is of late; if `sure`, only before it."""
    heads = [label for label in text.view(labels).before(date.start, 80) if label.kind == ENTITY]
    if not heads or is_early(text.folded, date):
        return False
    if _OF_BEFORE.search(text.folded, max(0, heads[0].start - 2), heads[0].start) and heads[0].word.startswith("生"):
        return heads[0].word != "生年月日"
    if _LIST.match(text.folded, heads[0].end):
        return False
    if text.folded.startswith("</", heads[0].start - 2):
        return True
    between = _WHOLE.search(text.folded, heads[0].end, date.start)
    if between is not None and date.start - between.end() > _BESIDE:
        return True
    return not sure and _DATED.search(text.folded, heads[0].end, date.start) is not None


def _stands_apart(folded: str, start: int, end: int) -> bool:
    """A date alone on its line (the date of a document) or with a time of day."""
    alone = folded[start - 1 : start] in ("", "\n") and folded[end : end + 1] in ("", "\n")
    return alone or _TIME_AFTER.match(folded, end) is not None


def load() -> DateOfBirthFinder:
    """The finder."""
    return DateOfBirthFinder()
