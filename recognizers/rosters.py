"""Rows of a list that say the same of one person each: `1 甲野 葵 平成2年…`, `2 〃 茜 令和3年…`.

Strategy: the line up to a date is reduced to its shape; a date goes on with the list when the line before holds a birth
after the same shape. Bounded: 48 characters of a line are looked at.
"""

from __future__ import annotations

import re

from recognizers.dates import Date

_REACH = 48
_WORD = re.compile("[々〃一-龠ぁ-んァ-ヶー]+|[A-Za-z]+")
_DIGITS = re.compile("[0-9]+")


class Roster:
    """The births of a text so far, by line."""

    __slots__ = ("_end", "_folded", "_shapes")

    def __init__(self, folded: str) -> None:
        self._folded = folded
        self._end = -1
        self._shapes: set[str] = set()

    def add(self, date: Date) -> None:
        """`date` is a birth."""
        shape = self._shape_of(date)
        if not shape:
            return
        if not self._below(date):
            self._shapes = set()
        self._shapes.add(shape)
        self._end = self._folded.find("\n", date.end)

    def goes_on(self, date: Date) -> bool:
        """Whether `date` stands below the last birth, after a shape that the list has."""
        return self._below(date) and self._shape_of(date) in self._shapes

    def _below(self, date: Date) -> bool:
        return 0 <= self._end == self._folded.rfind("\n", max(0, self._end), date.start)

    def _shape_of(self, date: Date) -> str:
        """The line before `date` with every word and number as one sign; empty when there is no name in it."""
        first = max(0, date.start - _REACH)
        line = self._folded[self._folded.rfind("\n", first, date.start) + 1 : date.start]
        if not line or not (line[-1].isspace() or line[-1] in "(,、|:・"):
            return ""
        shape = _DIGITS.sub("0", _WORD.sub("N", line.lstrip()))
        return shape if "N" in shape and len(shape) < _REACH // 2 else ""
