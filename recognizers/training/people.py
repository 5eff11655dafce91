"""Invented people, and strings of names that are no people, for widening template lines.

One `Person` is drawn per template number, so that `{full#1}` and `{sei.k#1}` agree. Drawing mixes common names (by number of
bearers), the counted list evenly, and the long tail of rare names, so that a model cannot learn the common ones by heart.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from recognizers.names import FOREIGN, OTHER, read_lists, read_sections, to_hiragana
from recognizers.names.romaji import romanise, spell

PLACES = Path(__file__).parents[1] / "data" / "places.txt.gz"
_MUNICIPALITY = re.compile(r"([一-龠々]{2,3})[市区町村]")
_MUNICIPALITY_KANA = re.compile(r"(シ|ク|チョウ|マチ|ムラ|ソン)$")
LISTS = Path(__file__).with_name("lists")
_KATAKANA = str.maketrans({chr(code): chr(code + 0x60) for code in range(0x3041, 0x3097)})
_HALF = str.maketrans(
    dict(zip("アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォャュョッー",
             "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｬｭｮｯｰ", strict=True))
    | {voiced: plain + "ﾞ" for voiced, plain in zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ",
                                                   "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ", strict=True)}
    | {voiced: plain + "ﾟ" for voiced, plain in zip("パピプペポ", "ﾊﾋﾌﾍﾎ", strict=True)}
)  # fmt: skip


def katakana(text: str) -> str:
    """Hiragana to katakana."""
    return text.translate(_KATAKANA)


def half_width(text: str) -> str:
    """Hiragana or katakana to half-width katakana."""
    return katakana(text).translate(_HALF)


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person: surfaces, readings in hiragana, romaji in lower case."""

    sei: str
    sei_kana: str
    sei_romaji: str
    mei: str
    mei_kana: str
    mei_romaji: str


class Population:
    """Draws people and foreign names; all randomness comes from the `random.Random` given."""

    def __init__(self, chance: random.Random) -> None:
        sections = read_sections()
        self._chance = chance
        self._family = [(row[0], row[2]) for row in sections["sei"]]
        self._rare = [(row[0], row[1]) for row in sections["rare"]]
        # Bearers fall off roughly as 1 / rank; the exact numbers do not matter here.
        self._weights = list(accumulate(1 / (rank + 8) for rank in range(len(self._family))))
        self._given = [(surface, row[0]) for row in sections["mei"] for surface in row[1].split(",")]
        self._usual = _usual_given(self._given)
        self._single = [entry for entry in self._given if len(entry[0]) == 1]
        # People are named after places and with one kanji more often than a draw from the long list would show.
        self._short = [entry for entry in self._family + self._rare if len(entry[0]) == 1]
        self._placelike = municipality_stems()
        self.foreign = read_lists(FOREIGN)
        self._other = read_lists(OTHER)

    def pick(self, entries: Sequence[str]) -> str:
        """One entry of a list."""
        return self._chance.choice(entries)

    def person(self) -> Person:
        """A new invented person with a Japanese name."""
        sei, sei_kana = self._draw_family()
        mei, mei_kana = self._draw_given()
        return Person(sei, sei_kana, self._romaji(sei_kana), mei, mei_kana, self._romaji(mei_kana))

    def _romaji(self, kana: str) -> str:
        # Sorted, because the order of a set of strings changes from run to run.
        forms = sorted(romanise(kana)) or [spell(kana) or "aoi"]
        return self._chance.choice(forms)

    def _draw_family(self) -> tuple[str, str]:
        kind = self._chance.random()
        if kind < 0.36:
            return self._chance.choices(self._family, cum_weights=self._weights)[0]
        if kind < 0.64:
            return self._chance.choice(self._family)
        if kind < 0.84:
            return self._chance.choice(self._rare)
        return self._chance.choice(self._short if kind < 0.9 else self._placelike)

    def _draw_given(self) -> tuple[str, str]:
        kind = self._chance.random()
        if kind < 0.16:
            kana = self._chance.choice(self._usual)[1]
            return (kana, kana) if kind < 0.12 else (katakana(kana), kana)
        if kind < 0.26:
            return self._chance.choice(self._single)
        return self._chance.choice(self._usual if kind < 0.8 else self._given)

    def thing(self, kind: str, *, latin: bool) -> str:
        """A `brand` or `place` in katakana or in Latin letters, a Latin one with a capital."""
        name = self.pick([name for name in self._other[kind] if name.isascii() == latin])
        return name.capitalize() if latin else name

    def kata(self) -> str:
        """A foreign name in katakana."""
        lists = self.foreign
        if self._chance.random() < 0.12:
            return self.pick(lists["kata_vn"])
        join = self._chance.choice("・・・・ =")
        parts = [self.pick(lists["kata_given"]), self.pick(lists["kata_family"])]
        if self._chance.random() < 0.12:
            parts.insert(1, self.pick(lists["kata_given"]))
        return join.join(parts)

    def municipality(self) -> str:
        """A place name that could be a family name: 門司, 杵築, 千葉."""
        return self._chance.choice(self._placelike)[0]

    def one_kanji(self) -> str:
        """A family name of one kanji: 林, 辻, 梶."""
        return self._chance.choice(self._short)[0]

    def initialled(self) -> str:
        """An initial and a family name, Japanese or English: `K. Sato`, `T SATO`, `M.Iwata`."""
        person = self.person()
        name = person.sei_romaji.capitalize() if self._chance.random() < 0.7 else self.english()[1]
        name = name.upper() if self._chance.random() < 0.25 else name
        return person.mei_romaji[0].upper() + self._chance.choice([". ", ". ", ".", " "]) + name

    def english(self) -> tuple[str, str]:
        """First and last name in Latin letters."""
        first = self.pick(self.foreign["en_first"])
        if self._chance.random() < 0.1:
            first += " " + self._chance.choice(["A.", "J.", "M.", "S.", "Lee", "Marie", "K.", "Thi", "Van"])
        return first, self.pick(self.foreign["en_last"])


def municipality_stems() -> list[tuple[str, str]]:
    """Names of cities, towns and wards without their last part, with readings: 門司区 → 門司, もじ."""
    stems: dict[str, str] = {}
    with gzip.open(PLACES, "rt", encoding="utf-8") as file:
        for line in file:
            kind, _, rest = line.rstrip("\n").partition("\t")
            if kind == "C":
                name, kana = rest.split("\t")
                if match := _MUNICIPALITY.fullmatch(name.rpartition("郡")[2]):
                    reading = _MUNICIPALITY_KANA.sub("", kana.rpartition("グン")[2])
                    stems[match[1]] = to_hiragana(reading)
    return sorted(stems.items())


def _usual_given(given: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Given names that look ordinary: two kanji, of which each occurs in many names; or one common kanji."""
    counts: dict[str, int] = {}
    for surface, _ in given:
        for char in set(surface):
            counts[char] = counts.get(char, 0) + 1
    return [
        (surface, kana) for surface, kana in given if len(surface) <= 3 and min(counts[char] for char in surface) >= 300
    ]
