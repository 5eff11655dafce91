"""POSTAL_CODE: seven digits, 3-4, where they stand apart from an address; a label or 〒 decides.

Source: 日本郵便 郵便番号データ (format). Codes inside an address belong to ADDRESS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.numbers import Number, of_lengths

ENTITY = "POSTAL_CODE"
_PLACE_AFTER = re.compile(r" ?[(]? ?[一-龠ぁ-んヶケ]{1,6}[都道府県市区町村郡]")
# A look-up shown with its answer: 5300001 → 大阪府…, input=0600001 output=札幌市….
_ANSWER_AFTER = re.compile(
    r"[ \n」\"')}]{0,4}(?:→|->|=>|⇒|[,、:])?[ \n]{0,2}(?:(?:出力|結果|住所|回答|output|result|address)[\"']?)?[ :=は→「\"']{0,4}(?P<place>[一-龠ぁ-んヶケ]{2,4}?[都道府県市区郡])"
)
# The item before in a list of counts: 231-0023:17人、.
_ITEM_BEFORE = re.compile(
    r"(?<![0-9-])[0-9]{3}-[0-9]{4} ?[:(|は]? ?[0-9]{1,6} ?(?:[人名件個枚戸棟社]|世帯)?\)?(?:[、,;/] ?|\n)\Z"
)


_SAMPLE_AFTER = re.compile("[」』]?(?:のような(?:見本|例|形)|(?:など)?の見本)")


class PostalCodeFinder:
    """Finds postal codes that stand alone."""

    entities = frozenset({ENTITY})
    name = "postal_code"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        known: set[str] = set()
        bare: list[Number] = []
        for number in of_lengths(text, 7):
            if number.groups in ((3, 4), (7,)) or max(number.groups) == 1:
                score = _score(text, number)
                if score >= 0.5:
                    known.add(number.digits)
                elif number.groups == (7,):
                    bare.append(number)
                yield text.finding(_marked(text.folded, number.start), number.end, ENTITY, score, self.name)
        # Said again without the hyphen.
        for number in bare if known else ():
            if number.digits in known:
                yield text.finding(number.start, number.end, ENTITY, 0.6, self.name)


def _marked(folded: str, start: int) -> int:
    """Where the code begins, its sign (〒) included."""
    sign = folded.rfind("〒", max(0, start - 2), start)
    return sign if sign >= 0 and not folded[sign + 1 : start].strip() else start


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    if not number.digits.strip("0") or _SAMPLE_AFTER.match(text.folded, number.end):
        return 0.0
    if _marked(text.folded, number.start) < number.start:
        return 0.98
    shaped = number.groups == (3, 4)
    if shaped and _PLACE_AFTER.match(text.folded, number.end):
        return 0.75
    if field.kind == ENTITY:
        return 0.95 if shaped or field.strength >= 0.9 else 0.7
    if len(number.groups) == 1 and (_answered(text, number) or _listed(text, number)):
        return 0.75
    # lookup_zip(code="…"): the key is of the call.
    if shaped and field.word == "code" and ENTITY in topics_of(text, number.start, number.end, before=40, after=0):
        return 0.75
    if not shaped or (field.kind not in ("", "NAME", "ADDRESS", "NUMBER") and field.strength >= 0.9):
        return 0.3
    return 0.7 if ENTITY in topics_of(text, number.start, number.end) else 0.3


def _answered(text: FoldedText, number: Number) -> bool:
    """Whether a place follows as the answer to seven bare digits, while the talk is of postal codes."""
    if _ANSWER_AFTER.match(text.folded, number.end) is None:
        return False
    return ENTITY in topics_of(text, number.start, number.end)


def _listed(text: FoldedText, number: Number) -> bool:
    """Whether seven bare digits follow a postal code and its count in a list of such."""
    left = text.folded[max(0, number.start - 24) : number.start]
    return _ITEM_BEFORE.search(left) is not None and ENTITY in topics_of(text, number.start, number.end)


def load() -> PostalCodeFinder:
    """The finder."""
    return PostalCodeFinder()
