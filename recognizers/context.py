"""What speaks for a value: the label of its field, and the topics around it. Raw string, before and after.

`field_of` answers the one kind that names the value: its table column, else the nearest label before it in the
statement, else a label directly after it, else the label on the line above. Auxiliary words (番号, 氏名, 性別) step aside
for a specific one. `topics_of` answers every kind within reach, for values whose shape is already telling.

Bounded: looks at 64 characters before, 24 after, one line above and one table header.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from recognizers.folded import FoldedText
from recognizers.labels import Label, labels
from recognizers.tables import Cell, cell_at, column_header

IN_COLUMN, BEHIND = 0.95, 0.85
BEFORE, AFTER, ABOVE, ANSWER = 64, 12, 40, 48
_AUXILIARY = frozenset({"NUMBER", "NAME", "GENDER"})
# A question for a value, answered in the next sentence or line.
_REQUEST = re.compile(
    "お願い|おねがい|教えて|おしえて|ください|下さい|伺|うかが|でしょうか|ですか|いただけ|頂け|読み上げ|おっしゃ|どうぞ|何番|[?]|[Pp]lease|[Ww]hat"
)
_STATEMENT_END = re.compile(r"[。\n!?]")
_DIGITS = re.compile(r"[0-9]{3}")
# What may follow a label that heads the line below.
_ALONE = re.compile(r"[ \t:」|*]{0,4}(?:\([^()\n]{0,12}\))?[ \t:」|*]{0,4}")
_BETWEEN_AFTER = re.compile(r"[ \t\"'」』）)(（のがは、,:|=]{0,4}|(?:です|という|は|が|の){0,2}[(（「]?")


class Field(NamedTuple):
    """The kind of label that names a value, and how sure: 1.0 beside it, 0.9 column, 0.6 earlier in the list."""

    kind: str
    strength: float
    word: str


NO_FIELD = Field("", 0.0, "")


def field_of(text: FoldedText, start: int, end: int) -> Field:
    """The label that names folded [start, end), or `NO_FIELD`."""
    if not text.view(labels):
        return NO_FIELD
    known = text.view(_fields)
    field = known.get((start, end))
    if field is None:
        field = known[start, end] = _field(text, start, end)
    return field


def _fields(_: FoldedText) -> dict[tuple[int, int], Field]:
    """Answers of `field_of`, kept: several finders ask for the same value."""
    return {}


def _field(text: FoldedText, start: int, end: int) -> Field:
    cell = cell_at(text, start)
    before = _before(text, start, 0 if cell is None else cell.start)
    if before.strength >= 0.9 and before.kind not in _AUXILIARY:
        return before
    column = NO_FIELD if cell is None else _column(text, cell)
    candidates = (column, _after(text, end), before, _above(text, start))
    return max(candidates, key=lambda field: field.strength - 0.5 * (field.kind in _AUXILIARY))


def topics_of(text: FoldedText, start: int, end: int, *, before: int = 120, after: int = 40) -> frozenset[str]:
    """All kinds of labels near folded [start, end)."""
    found = text.view(labels)
    if not found:
        return frozenset()
    near = [*found.before(start, before), *found.after(end, after)]
    header = column_header(text, start)
    if header is not None:
        near += found.between(*header)
    return frozenset(label.kind for label in near)


def _before(text: FoldedText, start: int, floor: int) -> Field:
    """The nearest label before `start` in its statement, and in its cell, which begins at `floor`."""
    fallback = NO_FIELD
    for label in text.view(labels).before(start, min(BEFORE, start - floor)):
        between = text.folded[label.end : start]
        if text.folded.startswith("</", label.start - 2):
            return fallback
        if _STATEMENT_END.search(between):
            if len(between) > ANSWER or not _REQUEST.search(between):
                return fallback
            if label.kind in _AUXILIARY:
                continue
            return Field(label.kind, 0.8, label.word)
        field = Field(label.kind, _strength(between), label.word)
        if label.kind not in _AUXILIARY:
            return field if field.strength >= fallback.strength - 0.5 else fallback
        if fallback is NO_FIELD:
            fallback = field
    return fallback


def _strength(between: str) -> float:
    if _DIGITS.search(between):
        return 0.6
    return 1.0 if len(between) <= 12 else 0.8


def _after(text: FoldedText, end: int) -> Field:
    for label in text.view(labels).after(end, AFTER):
        if label.kind in _AUXILIARY:
            continue
        if _BETWEEN_AFTER.fullmatch(text.folded, end, label.start):
            return Field(label.kind, BEHIND, label.word)
        break
    return NO_FIELD


def _above(text: FoldedText, start: int) -> Field:
    """A label line above a value that begins its own line."""
    line = text.folded.rfind("\n", max(0, start - 24), start)
    if line < 0 or text.folded[line + 1 : start].strip(" \t\"'「(・-*|>"):
        return NO_FIELD
    above = text.folded.rfind("\n", max(0, line - ABOVE), line) + 1
    heads = text.view(labels).before(line, line - max(above, line - ABOVE))
    if not heads or not _ALONE.fullmatch(text.folded, heads[0].end, line):
        return NO_FIELD
    for label in heads:
        if label.kind not in _AUXILIARY and label.start >= above:
            return Field(label.kind, 0.75, label.word)
    return NO_FIELD


def _column(text: FoldedText, cell: Cell) -> Field:
    found: list[Label] = text.view(labels).between(*cell.header)
    specific = [label for label in found if label.kind not in _AUXILIARY] or found
    return Field(specific[-1].kind, IN_COLUMN, specific[-1].word) if specific else Field("OTHER", 0.7, "")
