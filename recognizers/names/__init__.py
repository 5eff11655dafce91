"""Name lists: the compact data file behind PERSON detection, loaded once into plain sets.

`names.txt.gz` is made by `build.py` (sources and licences there). Loading takes about 0.1 s; the result is
immutable, so it can be loaded before a fork and shared. Kana readings are kept in hiragana; `to_hiragana`
folds a katakana form for look-ups.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

from recognizers.names.romaji import romanise

DATA = Path(__file__).with_name("names.txt.gz")
FOREIGN = Path(__file__).with_name("foreign.txt")
OTHER = Path(__file__).with_name("other.txt")
TOWNS = Path(__file__).with_name("towns.txt.gz")
ENGLISH = Path(__file__).with_name("english.txt.gz")
GAZETTEER = Path(__file__).parents[1] / "data" / "places.txt.gz"
_KATAKANA = str.maketrans({chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)})
# Readings of one or two kana are mostly words or particles; a list of them would only bring noise.
_MIN_READING = 2
# 上川郡上川町 is 上川.
_OWN_NAME = re.compile("^.{1,5}郡(?=..)")
# 札幌市|北区, but 市川市.
_WARD = re.compile("(?<=市)(?=.{1,6}区$)")


def to_hiragana(text: str) -> str:
    """Katakana to hiragana, all other characters unchanged (same length)."""
    return text.translate(_KATAKANA)


@dataclass(frozen=True, slots=True)
class NameLists:
    """Sets of name strings.

    `family` maps a family name to its rank (0 = most common). `rare` are family names without a count;
    `given`, kanji and kana given names. The `*_kana` sets hold hiragana readings, the `*_romaji` sets lower-case
    romanisations (Hepburn with and without long vowels). `foreign` holds the hand-written lists of `foreign.txt`,
    `other` those of `other.txt`: brands and places, which are mostly no people. Many of these are family names too:
    `towns_romaji`, towns in small Latin letters (`build_towns.py`); `cities`, municipalities without 市, 区, 町, 村;
    `towns`, towns (`data/build_places.py`). `english` are ordinary words in small letters (`build_english.py`).
    """

    family: dict[str, int]
    rare: frozenset[str]
    given: frozenset[str]
    family_kana: frozenset[str]
    given_kana: frozenset[str]
    family_romaji: frozenset[str]
    given_romaji: frozenset[str]
    foreign: dict[str, frozenset[str]]
    other: dict[str, frozenset[str]]
    towns_romaji: frozenset[str]
    cities: frozenset[str]
    towns: frozenset[str]
    english: frozenset[str]

    @classmethod
    def load(cls, path: Path = DATA) -> NameLists:
        """Reads the data file. Raises OSError if it is missing, ValueError if it is not in this format."""
        sections = read_sections(path)
        family = {row[0]: int(row[1]) for row in sections["sei"]}
        family_kana = frozenset(row[2] for row in sections["sei"] if len(row[2]) >= _MIN_READING)
        given_kana = frozenset(row[0] for row in sections["mei"] if len(row[0]) >= _MIN_READING)
        cities, towns = read_gazetteer()
        return cls(
            family=family,
            rare=frozenset(row[0] for row in sections["rare"]),
            given=frozenset(surface for row in sections["mei"] for surface in row[1].split(",")),
            family_kana=family_kana,
            given_kana=given_kana,
            family_romaji=frozenset(form for kana in family_kana for form in romanise(kana)),
            given_romaji=frozenset(form for kana in given_kana for form in romanise(kana)),
            foreign={key: frozenset(entries) for key, entries in read_lists(FOREIGN).items()},
            other={key: frozenset(entries) for key, entries in read_lists(OTHER).items()},
            towns_romaji=_words(TOWNS),
            cities=cities,
            towns=towns,
            english=_words(ENGLISH),
        )


def read_sections(path: Path = DATA) -> dict[str, list[list[str]]]:
    """The rows of each section: `sei`, `mei`, `rare` (columns as `build.py` writes them)."""
    sections: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("@"):
                rows = sections.setdefault(line[1:], [])
            else:
                rows.append(line.split("\t"))
    if missing := {"sei", "mei", "rare"} - sections.keys():
        raise ValueError(f"{path.name}: section(s) {sorted(missing)} missing; rebuild it with names/build.py")
    return sections


def read_gazetteer(path: Path = GAZETTEER) -> tuple[frozenset[str], frozenset[str]]:
    """Municipalities by their own names (郡 and city left out, as 市, 区, 町, 村 are), and towns."""
    cities: set[str] = set()
    towns: frozenset[str] = frozenset()
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        kind, *fields = line.split("\t")
        if kind == "C":
            cities.update(name[:-1] for name in _WARD.split(_OWN_NAME.sub("", fields[0])))
        elif kind == "T":
            towns = frozenset(fields)
    return frozenset(name for name in cities if len(name) > 1), towns


def _words(path: Path) -> frozenset[str]:
    return frozenset(gzip.decompress(path.read_bytes()).decode().split())


def read_lists(path: Path) -> dict[str, list[str]]:
    """Sections of a list file: `@key` (entries split at white space) or `@key lines`."""
    lists: dict[str, list[str]] = {}
    current: list[str] = []
    whole = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        if line.startswith("@"):
            key, _, mode = line[1:].partition(" ")
            current, whole = lists.setdefault(key, []), mode == "lines"
        else:
            current += [line] if whole else line.split()
    return lists
