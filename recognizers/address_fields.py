"""ADDRESS kept in fields of its own: prefecture, city, street and building of one record.

Strategy: a key that names a part of an address (`pref`, 市区町村, `line1`, 番地, …) and its value in JSON, XML, YAML, a query or a
form. Alone such a value is no address; with a street or block number in a field nearby all of them are one. Statistics by
prefecture and city have no such field, so they stay.
Bounded: values have 60 characters at most, fields of one record stand within 160 characters of each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "ADDRESS"
_REACH = 160
_AREA = (
    "都道府県名?|市区町村名?|市区郡|市町村|郡市区|町域名?|町名|prefecture(?:_?name)?|pref(?:_?name)?|state|province|city(?:_?name)?"
    "|municipality|town|ward|locality|region|addresslocality|addressregion"
)
_BLOCK = (
    "番地|町名番地|町名・番地|町域番地|丁目番地|丁目・番地|番地等|以降の住所|住所[1-4]|street(?:_?address|_?line)?_?[1-3]?|streetaddress|line[_ ]?[1-4]"
    "|address[_ ]?(?:line)?[_ ]?[1-4]|addr_?[1-4]|jusho_?[1-4]|block|banchi|chome_banchi"
)
_HOUSE = "建物名?|建物名・部屋番号|建物・部屋番号|マンション名?|アパート名?|building(?:_?name)?|bldg|apartment|apt"
_KEY = re.compile(
    rf"(?:(?P<area>{_AREA})|(?P<block>{_BLOCK})|(?P<house>{_HOUSE}))(?:(?:\"|'|」)? ?[:=] ?[\"'「]?|> ?|=)"
    r"(?P<value>[^\"'\n<>&;「」{}\[\]:=]{2,60})"
)
_LEFT = re.compile(r"[0-9a-z一-龠]\Z")
# Every key of a street or block number has one of these in it.
_WORDS = ("番地", "住所", "street", "line", "addr", "block", "chome", "jusho")
_NAMED = re.compile(
    r"(?:[一-龠々ぁ-んァ-ヶー]{1,10}[都道府県市区町村郡]|[A-Z][A-Za-z.' -]{1,30}|[一-龠々ヶケ]{2,4})(?:[一-龠々ぁ-んァ-ヶー0-9-]{0,24})"
)
_NUMBERED = re.compile(r"[0-9〇一二三四五六七八九]")
# 番地: なし, building: 3階建て and state: open are no parts of an address.
_NO_PART = re.compile(
    r"(?:なし|無し|未|不明|null|none|n/a|true|false|nan|[0-9]+階建|築|木造|鉄骨|RC)|[0-9.,]+ ?(?:㎡|m2|坪|円)",
    re.IGNORECASE,
)


class _Part(NamedTuple):
    start: int
    end: int
    numbered: bool


class AddressFieldsFinder:
    """Addresses that a record keeps in several fields."""

    entities = frozenset({ENTITY})
    name = "address_fields"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        lowered = text.lowered
        if not any(word in lowered for word in _WORDS):
            return
        for record in _records(_parts(text)):
            if len(record) > 1 and any(part.numbered for part in record):
                for part in record:
                    yield text.finding(part.start, part.end, ENTITY, 0.8, self.name)


def _parts(text: FoldedText) -> Iterator[_Part]:
    lowered = text.lowered
    for match in _KEY.finditer(lowered):
        start, end = match.span("value")
        if _LEFT.search(lowered, max(0, match.start() - 1), match.start()) or _NO_PART.match(lowered, start, end):
            continue
        value = text.folded[start:end]
        if (match["area"] and not _NAMED.match(value)) or (value.isdigit() and "番地" not in match.group()):
            continue
        size = len(value.rstrip(" ,)"))
        yield _Part(start, start + size, match["block"] is not None and _NUMBERED.search(value) is not None)


def _records(parts: Iterator[_Part]) -> Iterator[list[_Part]]:
    """Parts that stand near each other."""
    record: list[_Part] = []
    for part in parts:
        if record and part.start - record[-1].end > _REACH:
            yield record
            record = []
        record.append(part)
    if record:
        yield record


def load() -> AddressFieldsFinder:
    """The finder."""
    return AddressFieldsFinder()
