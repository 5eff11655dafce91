"""Births in rows of a file whose header is gone: `10442;Hinode;Aoi;19990217;20220401`, `(7,'日出','aoi@mail.example','1979-05-30')`.

Strategy: the first early date that has a cell of its own, not the row's first, is a birth when another cell holds a
name, a mailbox or a telephone number. Later dates of the row are of other things.
Bounded: 160 characters on each side, 24 cells.
"""

from __future__ import annotations

import re
from itertools import pairwise

from recognizers.dates import Date, is_early

_REACH = 160
_MARKS = ",;|\t"
_OPEN = re.compile(r"[,;|\t] ?[\"']?\Z")
_CLOSED = re.compile(r"[\"']? ?(?:[,;|\t)\]\n]|$)")
_DATE = re.compile(
    r"[\"']?(?:[12][0-9]{3}[-/.]?[01]?[0-9][-/.]?[0-3]?[0-9]|[MTSHR明大昭平令][0-9]{1,2}[-/.][01]?[0-9][-/.][0-3]?[0-9])[\"']?"
)
_TELLING = re.compile(
    r"[\"' (]{0,3}(?:[一-龠々]{1,4} [一-龠々ぁ-んァ-ヶー]{1,6}|[ァ-ヶー]{2,10}[ ・][ァ-ヶー]{2,12}|[A-Z][a-z]{1,14} [A-Z][a-z]{1,14}|\(?0[0-9]{1,4}[-)][0-9]{1,4}-[0-9]{3,4}"
    r"|[^\s@]{1,40}@[A-Za-z0-9.-]{3,40})[\"' )]{0,3}"
)
_LATIN = re.compile(r"[\"' ]{0,2}[A-Z][a-z]{1,14}[\"' ]{0,2}")


def in_row(folded: str, date: Date) -> bool:
    """Whether `date` is the first early date of a row about a person."""
    if not _OPEN.search(folded, max(0, date.start - 3), date.start) or not _CLOSED.match(folded, date.end):
        return False
    if not is_early(folded, date):
        return False
    first = max(folded.rfind("\n", max(0, date.start - _REACH), date.start) + 1, date.start - _REACH, 0)
    end = folded.find("\n", date.end, date.end + _REACH)
    mark = folded[first : date.start].rstrip(" \"'")[-1:]
    before = folded[first : date.start].split(mark)[:-1][-24:]
    after = folded[date.end : end if end >= 0 else date.end + _REACH].split(mark)[:24]
    if not before or any(_DATE.fullmatch(cell.strip()) for cell in before) or len(before) + len(after) < 3:
        return False
    if any(_TELLING.fullmatch(cell) for cell in [*before, *after]):
        return True
    return any(_LATIN.fullmatch(one) and _LATIN.fullmatch(two) for one, two in pairwise(before))
