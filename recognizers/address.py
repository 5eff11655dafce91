"""ADDRESS, first form: prefecture or city, town and block number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "ADDRESS"
_BLOCK = re.compile(
    r"(?:〒? ?[0-9]{3}-[0-9]{4} ?)?(?:[一-龠]{2,3}[都道府県])?[一-龠ぁ-んァ-ヶ]{1,8}[市区町村郡][一-龠ぁ-んァ-ヶ]{1,16}[0-9]{1,4}(?:-[0-9]{1,4}|丁目|番地?|号|の[0-9]{1,4}|[0-9]){1,8}"
)


class AddressFinder:
    entities = frozenset({ENTITY})
    name = "address"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        for match in _BLOCK.finditer(text.folded):
            yield text.finding(*match.span(), ENTITY, 0.8, self.name)


def load() -> AddressFinder:
    return AddressFinder()
