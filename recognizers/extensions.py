"""Extensions that share one label: `内線一覧 森 1201 林 1202`, `総務2011、経理2012(いずれも内線)`, `extension list: front desk 4100, …`.

Strategy: from the word for a list of extensions, items of a short name and three to five digits follow each other, parted
by commas, slashes or line ends; or they stand before a bracket that says so. Anything else ends the list.
Bounded: 24 characters a name, 24 items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = r"[^0-9\n、,/|。:()]{1,24}?"
_NUMBER = r"[0-9]{3,5}(?![0-9年月日時分名件円人個%-]|[./:][0-9])"
_ITEM = re.compile(
    rf"[ \t・|*]{{0,4}}{_NAME}[ :…\t|]{{0,4}}(?P<digits>{_NUMBER})[ \t|]{{0,3}}(?:(?:です|となります|さん)?(?:[、,/;。]|\n{{1,2}}|$)|(?=[^0-9\n、,/|。:() ]))"
)
_HEAD = re.compile(
    r"(?:内線(?:番号)?(?:の?(?:一覧|リスト|表|番号表)|は)|院内PHS|PHS(?:番号)?(?:の?(?:一覧|リスト|表))?|(?i:extension|ext\.?) ?(?:list|numbers))(?:より|から)?(?:抜粋)?[^0-9\n。]{0,3}?[: \n、]{1,2}|内線は"
)
_TOLD = re.compile(r"\((?:いずれも|すべて|全て|みな|以上)?、?内線\)")
_BEFORE = re.compile(rf"(?:{_NAME}[ :]?{_NUMBER}(?:[、,/ ]{{1,2}}|(?=\())){{2,8}}\Z")
# Leocadia, x4471; call Mizuki on 8261.
_SAID = re.compile(
    r"(?:, |\(|at |on )x(?P<digits>[0-9]{3,5})(?![0-9A-Za-z%])|(?<![A-Za-z])(?:[Cc]all|[Rr]ing|[Dd]ial) (?:[A-Za-z]{1,12} ){1,4}on (?P<line>(?!19|20)[0-9]{4})(?![0-9:%]|[.,-][0-9]| [0-9A-Z])"
)
_DIGITS = re.compile(_NUMBER)
_MOST = 24
_REACH = 120


def extensions(folded: str) -> Iterator[tuple[int, int]]:
    """Where the extensions of such lists stand."""
    for head in _HEAD.finditer(folded):
        yield from _following(folded, head.end())
    for said in _SAID.finditer(folded):
        yield said.span("digits" if said["digits"] else "line")
    for told in _TOLD.finditer(folded):
        first = max(0, told.start() - _REACH)
        left = _BEFORE.search(folded[: told.start() + 1], first)
        line = folded.rfind("\n", first, told.start()) + 1 or first
        if left is None and _DIGITS.search(folded, line, told.start()) is None:
            continue
        start = left.start() if left else line
        yield from (match.span() for match in _DIGITS.finditer(folded, start, told.start()))


def _following(folded: str, start: int) -> Iterator[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while len(found) < _MOST and (item := _ITEM.match(folded, start)):
        found.append(item.span("digits"))
        start = item.end()
    if len(found) > 1:
        yield from found
