"""PENSION_NUMBER: 基礎年金番号, four and six digits; no check digit is known, so a label or the topic decides.

On certificates the four digits of the 年金コード follow. Without any label, four and six digits joined by a hyphen are
doubtful: they count at the beginning of an item or right after a name, where no year and no dialling code begins them.

Source: 日本年金機構 基礎年金番号通知書 (format 4-6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.numbers import Number, numbers, of_lengths

ENTITY = "PENSION_NUMBER"
_SPLIT_REACH = 10
_NOT_FIRST = re.compile("0|19|20")
_ITEM_BEGIN = re.compile(
    r"(?:(?:^|\n)[ \t]*(?:[0-9]{1,3}[.):、]|[・*-]) ?|[,(] ?[\"']|[一-龠々]{1,4} [一-龠々ぁ-んァ-ヶ]{1,6}[ ,\t|]{1,3})\Z"
)
_ITEM_END = re.compile(r"[\"'][,)]|[ \t]{0,2}(?:[\n,|\t]|$)| (?:[明大昭平]|(?:19|20)[0-9]{2}|[MTSH][0-9])")


_BIRTH_AFTER = re.compile(r" (?:[明大昭平][治正和成]?|[MTSH])[0-9]{1,2}[.年/]")


_NAMED = re.compile("年金番号[^0-9\\n。、]{0,12}\\Z")


_NEUTRAL = frozenset({"", "NAME", "NUMBER", "DATE_OF_BIRTH"})


class PensionNumberFinder:
    """Finds 基礎年金番号."""

    entities = frozenset({ENTITY})
    name = "pension_number"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for number in of_lengths(text, 10):
            yield text.finding(number.start, number.end, ENTITY, _score(text, number), self.name)
        for number in of_lengths(text, 14):
            if number.groups == (4, 6, 4) and field_of(text, number.start, number.end).kind == ENTITY:
                yield text.finding(number.start, number.end, ENTITY, 0.97, self.name)
        for number in _halves(text):
            yield text.finding(number.start, number.end, ENTITY, 0.8, self.name)


def _score(text: FoldedText, number: Number) -> float:
    shaped = number.groups == (4, 6)
    field = field_of(text, number.start, number.end)
    if field.kind == ENTITY:
        return 0.97 if shaped or field.strength >= 0.8 else 0.7
    if _NAMED.search(text.folded, max(0, number.start - 24), number.start):
        return 0.85
    handbook = field.word.startswith("記号") and ENTITY in topics_of(text, number.start, number.end, before=40)
    if shaped and handbook:
        return 0.85
    if not shaped or (field.kind not in _NEUTRAL and field.strength >= 0.9 and field.word != "id"):
        return 0.3
    if ENTITY in topics_of(text, number.start, number.end, before=160):
        return 0.85
    return 0.55 if number.joins == "-" and not field.kind.strip("NAME") and _item(text.folded, number) else 0.4


def _item(folded: str, number: Number) -> bool:
    """Whether the number begins an item or follows a name, as in tables whose header is gone."""
    if _NOT_FIRST.match(number.digits) or not _ITEM_END.match(folded, number.end):
        return False
    if _BIRTH_AFTER.match(folded, number.end):
        return True
    return _ITEM_BEGIN.search(folded, max(0, number.start - 24), number.start) is not None


def _halves(text: FoldedText) -> Iterator[Number]:
    """Four digits and six read out apart (`4桁が六七〇一、の後ろが二三四五六七`), under a pension label."""
    for left, right in pairwise(text.view(numbers)):
        shaped = len(left.digits) == 4 and len(right.digits) == 6 and right.start - left.end <= _SPLIT_REACH
        if shaped and field_of(text, left.start, left.end).kind == ENTITY:
            yield left
            yield right


def load() -> PensionNumberFinder:
    """The finder."""
    return PensionNumberFinder()
