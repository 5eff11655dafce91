"""Builds `names.txt.gz`, the compact name lists, from two sources. Run by hand; the result is committed.

Sources (neither is a runtime dependency of this file's output):
  * japanese-personal-name-dataset (MIT, (c) 2022 shuheilocale): 2,000 family names with bearers, kana and
    romaji; about 70,000 given names with readings.
  * SudachiDict core (Apache-2.0): further family names, found by looking up pairs and triples of kanji that
    occur in family names (its own list is the widest free one).

usage: python -m recognizers.names.build DIRECTORY_OF_THE_CSV_FILES

Format: gzip, UTF-8, three sections, each opened by `@name`; one entry per line, tab separated:
  @sei   surface, rank (0 = most common; ranks past the counted list are all equal), reading (hiragana)
  @mei   reading (hiragana), surfaces joined by commas
  @rare  surface, reading (hiragana): family names known to the dictionary only
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import sudachipy

TARGET = Path(__file__).with_name("names.txt.gz")
GIVEN = ("first_name_man_org", "first_name_woman_org", "first_name_man_opti", "first_name_woman_opti")
FAMILY = "名詞,固有名詞,人名,姓"
_KATAKANA = str.maketrans({chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)})


def hiragana(text: str) -> str:
    """Katakana to hiragana, other characters unchanged."""
    return text.translate(_KATAKANA)


def family_rows(folder: Path) -> list[tuple[str, str]]:
    """Family names, most common first: (surface, reading)."""
    with (folder / "last_name_org.csv").open(encoding="utf-8", newline="") as file:
        return [(row[0], row[2]) for row in csv.reader(file) if len(row) >= 3]


def given_rows(folder: Path) -> dict[str, set[str]]:
    """Given names: reading to surfaces."""
    merged: dict[str, set[str]] = {}
    for name in GIVEN:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                merged.setdefault(row[0], set()).update(filter(None, row[2:]))
    return merged


def encodable_kanji() -> list[str]:
    """The kanji of JIS X 0208 and the IBM extensions: those that names are written with in practice."""
    return [chr(code) for code in range(0x4E00, 0xA000) if _encodes(chr(code))]


def _encodes(char: str) -> bool:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def candidates(known: list[str]) -> Iterator[str]:
    """Kanji strings worth looking up: singles, pairs with one family-name kanji, triples on a known stem."""
    chars = sorted({char for name in known for char in name})
    every = encodable_kanji()
    lasts = sorted(Counter(name[-1] for name in known if len(name) == 3))
    yield from every
    yield from ("".join(pair) for pair in itertools.product(chars, every))
    yield from ("".join(pair) for pair in itertools.product(every, chars))
    stems = sorted({name[:2] for name in known})
    yield from (stem + last for stem in stems for last in chars)
    yield from (first + stem for stem in stems for first in lasts)


def rare_rows(known: list[str]) -> Iterator[tuple[str, str]]:
    """Family names of SudachiDict that the counted list lacks."""
    dictionary = sudachipy.Dictionary()
    seen = set(known)
    for surface in candidates(known):
        if surface in seen:
            continue
        seen.add(surface)
        for entry in dictionary.lookup(surface):
            if ",".join(entry.part_of_speech()[:4]) == FAMILY and entry.surface() == surface:
                yield surface, hiragana(entry.reading_form())
                break


def build(folder: Path) -> str:
    """The text of the data file."""
    family = family_rows(folder)
    lines = ["@sei", *(f"{surface}\t{rank}\t{reading}" for rank, (surface, reading) in enumerate(family))]
    given = given_rows(folder)
    lines += ["@mei", *(f"{reading}\t{','.join(sorted(given[reading]))}" for reading in sorted(given))]
    lines += [
        "@rare",
        *(f"{surface}\t{reading}" for surface, reading in sorted(rare_rows([s for s, _ in family]))),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes `names.txt.gz` (no timestamp inside, so a rebuild is byte-identical)."""
    text = build(Path(sys.argv[1]))
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
