"""What the tagger sees of a text: one row per morpheme, made with very little Python per morpheme.

Strategy: Sudachi cuts the text into morphemes. What depends on the morpheme alone (word, part of speech, letters,
name lists it is in) is worked out once per distinct morpheme and remembered; a text is then an array of numbers.
Spaces are no rows: a row says how much space came before it, so `佐 藤` reads like `佐藤`.
Guarantees: linear, bounded memory, no exception for any text without lone surrogates that Sudachi takes at once.
Not thread-safe (Sudachi's tokenizer is not): one `Featurizer` per thread over one dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sudachipy

from recognizers.names import NameLists, to_hiragana

Ids = npt.NDArray[np.int32]

FLAGS = 24
# Names are looked up over two neighbouring morphemes too: Sudachi splits what it does not know (大神田 → 大|神田).
PAIR_NONE, PAIR_FAMILY, PAIR_GIVEN, PAIR_BOTH = range(4)
_PAIRABLE = 2

HONORIFICS = frozenset(
    "さん 様 さま 氏 君 くん ちゃん 殿 先生 先輩 嬢 夫妻 サン サマ クン チャン どの 女史 画伯 師匠 後輩".split()  # noqa: SIM905
)
_ENDS = frozenset("。！？!?\n")
# Flags that say how a morpheme is written, what it is beside or what else it is, not that it is a name.
_HONORIFIC_FLAG = 16
_NO_EVIDENCE = frozenset({13, 14, _HONORIFIC_FLAG, 17, 18})


class Fact(NamedTuple):
    """A distinct morpheme: surface, part-of-speech class, numbers of the flags that are set."""

    surface: str
    pos: str
    flags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """The morphemes of a text that are not spaces.

    `tokens` numbers into `Featurizer.facts`; `starts`, `ends` offsets; `spaces` 0, 1, 2 (several) before it;
    `pairs` what it makes with the next one; `sentence` the number of the sentence it is in; `plain` whether nothing
    but the neighbours could make it a name: no list and no dictionary knows it as one, no honorific follows.
    """

    tokens: Ids
    starts: Ids
    ends: Ids
    spaces: Ids
    pairs: Ids
    sentence: Ids
    plain: npt.NDArray[np.bool_]


def pos_class(pos: tuple[str, ...]) -> str:
    """The part of speech as the tagger distinguishes it: the first fields, without conjugation."""
    return "-".join(field for field in pos[:4] if field != "*")


def is_kanji(text: str) -> bool:
    """Whether all characters are kanji or stand for them (々, 〆, ヶ)."""
    return all("\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or char > "\uffff" or char in "々〆ヶケ"
               for char in text)  # fmt: skip


def flags_of(surface: str, names: NameLists) -> tuple[int, ...]:
    """The name lists a surface is in, as flag numbers."""
    found: list[int] = []
    rank = names.family.get(surface)
    if rank is not None:
        found.append(0 if rank < 150 else 1 if rank < 700 else 2)
    elif surface in names.rare:
        found.append(3)
    if surface in names.given:
        found.append(4)
    kana = to_hiragana(surface)
    if kana in names.family_kana:
        found.append(5 if kana == surface else 6)
    if kana in names.given_kana:
        found.append(7 if kana == surface else 8)
    lower = surface.lower()
    if lower.isascii() and lower[:1].isalpha():
        found += _latin_flags(surface, lower, names)
    if surface in names.foreign["kata_given"] or surface in names.foreign["kata_family"]:
        found.append(15)
    if surface in HONORIFICS:
        found.append(_HONORIFIC_FLAG)
    found += [17] if lower in names.other["brand"] else []
    found += [18] if lower in names.other["place"] else []
    return tuple(found)


def _latin_flags(surface: str, lower: str, names: NameLists) -> list[int]:
    found: list[int] = []
    title = lower.capitalize()
    found += [9] if lower in names.family_romaji else []
    found += [10] if lower in names.given_romaji else []
    found += [11] if title in names.foreign["en_first"] else []
    found += [12] if title in names.foreign["en_last"] else []
    if surface.isupper() and len(surface) > 1:
        found.append(13)
    elif surface[0].isupper():
        found.append(14)
    return found


class Featurizer:
    """Texts to `Rows`."""

    def __init__(self, dictionary: sudachipy.Dictionary, names: NameLists) -> None:
        # Readings and normal forms are not wanted; reading them from the dictionary takes a tenth of the time.
        self._tokenize = dictionary.create(sudachipy.SplitMode.A, fields={"surface", "pos"}).tokenize
        self._names = names
        count = len(dictionary.pos_matcher(lambda _: True))
        self._classes = [pos_class(dictionary.pos_of(number)) for number in range(count)]
        self._numbers: dict[tuple[str, int], int] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self.facts: list[Fact] = []
        # Per distinct morpheme, grown by doubling: may it be half of a name; does it end a sentence; is it known as a
        # name; is it an honorific.
        self._traits = np.zeros((4, 1024), np.bool_)
        self._lengths = np.zeros(1024, np.int32)

    def rows(self, text: str) -> Rows:
        """The rows of a text."""
        # Read column by column: a loop over morphemes costs half as much again.
        found = list(self._tokenize(text))
        surfaces = [morpheme.surface() for morpheme in found]
        keys = list(zip(surfaces, [morpheme.part_of_speech_id() for morpheme in found], strict=True))
        starts = [morpheme.begin() for morpheme in found]
        if " " in surfaces:
            kept = [place for place, surface in enumerate(surfaces) if surface != " "]
            keys, starts = [keys[place] for place in kept], [starts[place] for place in kept]
        tokens = list(map(self._numbers.get, keys))
        if None in tokens:
            tokens = [self._number(key) for key in keys]
        return self._arrays(np.array(tokens, np.int32), np.array(starts, np.int32))

    def learn(self, keys: Iterable[tuple[str, int]]) -> None:
        """Makes facts of morphemes beforehand; a part of speech the dictionary does not have is passed over."""
        for key in keys:
            if key not in self._numbers and key[1] < len(self._classes):
                self._learn(key)

    def keys(self) -> list[tuple[str, int]]:
        """The morphemes of `facts`: surface and number of the part of speech."""
        return list(self._numbers)

    def _number(self, key: tuple[str, int]) -> int:
        number = self._numbers.get(key)
        return self._learn(key) if number is None else number

    def _learn(self, key: tuple[str, int]) -> int:
        surface, pos = key
        number = self._numbers[key] = len(self.facts)
        self.facts.append(Fact(surface, self._classes[pos], flags_of(surface, self._names)))
        if number >= self._traits.shape[1]:
            self._traits = np.concatenate([self._traits, np.zeros_like(self._traits)], axis=1)
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        fact = self.facts[number]
        self._lengths[number] = len(surface)
        self._traits[:, number] = (
            len(surface) <= _PAIRABLE and is_kanji(surface),
            surface[-1:] in _ENDS,
            bool(set(fact.flags) - _NO_EVIDENCE) or "固有名詞" in fact.pos,
            _HONORIFIC_FLAG in fact.flags,
        )
        return number

    def _arrays(self, numbers: Ids, begins: Ids) -> Rows:
        finishes = begins + self._lengths.take(numbers)
        gaps = np.zeros(len(numbers), np.int32)
        np.subtract(begins[1:], finishes[:-1], out=gaps[1:])
        np.minimum(gaps, 2, out=gaps)
        sentence = np.zeros(len(numbers), np.int32)
        pairable, ending, known, honorific = self._traits.take(numbers, axis=1)
        np.cumsum(ending[:-1], out=sentence[1:])
        plain = ~known
        plain[:-1] &= ~honorific[1:]
        return Rows(numbers, begins, finishes, gaps, self._paired(numbers, pairable), sentence, plain)

    def _paired(self, numbers: Ids, may: npt.NDArray[np.bool_]) -> Ids:
        pairs = np.zeros(len(numbers), np.int32)
        known = self._pairs
        for index in np.flatnonzero(may[:-1] & may[1:]).tolist():
            key = (int(numbers[index]), int(numbers[index + 1]))
            kind = known.get(key)
            pairs[index] = self._pair(key) if kind is None else kind
        return pairs

    def _pair(self, key: tuple[int, int]) -> int:
        joined = self.facts[key[0]].surface + self.facts[key[1]].surface
        family = joined in self._names.family or joined in self._names.rare
        kind = PAIR_FAMILY * family + PAIR_GIVEN * (joined in self._names.given)
        self._pairs[key] = kind
        return kind
