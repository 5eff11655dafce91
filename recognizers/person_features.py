"""What the tagger sees of a text: one row per morpheme, made with very little Python per morpheme.

Strategy: Sudachi cuts the text into morphemes. What depends on the morpheme alone (word, part of speech, letters,
name lists it is in) is worked out once per distinct morpheme and remembered; a text is then an array of numbers.
Spaces are no rows: a row says how much space came before it, so `佐 藤` reads like `佐藤`.
Guarantees: linear, bounded memory, no exception for any text without lone surrogates that Sudachi takes at once.
Not thread-safe (Sudachi's tokenizer is not): one `Featurizer` per thread over one dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sudachipy

from recognizers.names import NameLists, to_hiragana

Places = npt.NDArray[np.intp]

FLAGS = 24
# Names are looked up over two neighbouring morphemes too: Sudachi splits what it does not know (大神田 → 大|神田).
PAIR_NONE, PAIR_FAMILY, PAIR_GIVEN, PAIR_BOTH = range(4)
_KINDS = 4
BESIDES = 3 * _KINDS * _KINDS
_HALF = 2

HONORIFICS = frozenset(
    "さん 様 さま 氏 君 くん ちゃん 殿 先生 先輩 嬢 夫妻 サン サマ クン チャン どの 女史 画伯 師匠 後輩".split()  # noqa: SIM905
)
_SENTENCE_ENDS = frozenset("。！？!?\n")
# Flags that say how a morpheme is written, what it is beside or what else it is, not that it is a name.
_HONORIFIC_FLAG = 16
_NO_EVIDENCE = frozenset({13, 14, _HONORIFIC_FLAG, 17, 18, *range(19, 23)})
# Spaces are no rows: the number they have in place of one.
_SPACE = -1
# Traits of a distinct morpheme: may be half of a name; ends a sentence; is known as a name; is an honorific.
_PAIRABLE, _ENDS, _KNOWN, _HONORIFIC = 1, 2, 4, 8
# 4,980, 26.5, 812万. Zeros stay: they tell a round number or the beginning of a telephone number from others.
_LONG_NUMBER, _DIGITS = re.compile("[0-9][0-9,.]+(?:[0-9,.]|[千万億兆]+)"), re.compile("[1-9]")
_KANJI = re.compile("[\u4e00-\u9fff\u3400-\u4dbf\U00010000-\U0010ffff々〆ヶケ]*")
_begin, _surface, _pos = sudachipy.Morpheme.begin, sudachipy.Morpheme.surface, sudachipy.Morpheme.part_of_speech_id


class Fact(NamedTuple):
    """A distinct morpheme: surface, part-of-speech class, numbers of the flags that are set, dictionary's normal form."""

    surface: str
    pos: str
    flags: tuple[int, ...]
    normal: str


@dataclass(frozen=True, slots=True)
class Rows:
    """The morphemes of a text that are not spaces.

    `tokens` numbers into `Featurizer.facts`; `starts`, `ends` offsets; `beside` what stands beside each, as `besides`
    packs it; `breaks` the rows, ascending, after which a new sentence begins.
    """

    tokens: Places
    starts: list[int]
    ends: list[int]
    beside: Places
    breaks: Places

    @property
    def spaces(self) -> Places:
        """How much space stands before each row: 0, 1, 2 (several)."""
        return self.beside // (_KINDS * _KINDS)

    @property
    def pairs(self) -> Places:
        """What each row makes with the next one."""
        return self.beside // _KINDS % _KINDS

    @property
    def sentence(self) -> Places:
        """The number of the sentence each row is in."""
        begins = np.zeros(len(self.tokens) + 1, np.intp)
        begins[self.breaks + 1] = 1
        return begins[:-1].cumsum()


def besides(spaces: int, pair: int, pair_before: int) -> int:
    """One number for the space before a morpheme, what it makes with the next and what with the one before; 0 is none.

    Below `BESIDES`.
    """
    return (spaces * _KINDS + pair) * _KINDS + pair_before


def pos_class(pos: tuple[str, ...]) -> str:
    """The part of speech as the tagger distinguishes it: the first fields, without conjugation."""
    return "-".join(field for field in pos[:4] if field != "*")


def is_kanji(text: str) -> bool:
    """Whether all characters are kanji or stand for them (々, 〆, ヶ)."""
    return _KANJI.fullmatch(text) is not None


def flags_of(surface: str, names: NameLists) -> tuple[int, ...]:
    """The name lists a surface is in, as flag numbers."""
    lower = surface.lower()
    found = _latin_flags(surface, lower, names) if lower.isascii() else _japanese_flags(surface, names)
    found += [17] if lower in names.other["brand"] else []
    found += [18] if lower in names.other["place"] else []
    return tuple(found)


def _japanese_flags(surface: str, names: NameLists) -> list[int]:
    found: list[int] = []
    rank = names.family.get(surface)
    if rank is not None:
        found.append(0 if rank < 150 else 1 if rank < 700 else 2)
    elif surface in names.rare:
        found.append(3)
    if surface in names.given:
        found.append(4)
    found += [21] if surface in names.cities else []
    found += [22] if surface in names.towns else []
    if "\u3041" <= surface[:1] <= "\u30ff":
        found += _kana_flags(surface, names)
    if surface in HONORIFICS:
        found.append(_HONORIFIC_FLAG)
    return found


def _kana_flags(surface: str, names: NameLists) -> list[int]:
    found: list[int] = []
    kana = to_hiragana(surface)
    if kana in names.family_kana:
        found.append(5 if kana == surface else 6)
    if kana in names.given_kana:
        found.append(7 if kana == surface else 8)
    if surface in names.foreign["kata_given"] or surface in names.foreign["kata_family"]:
        found.append(15)
    return found


def _latin_flags(surface: str, lower: str, names: NameLists) -> list[int]:
    if not lower[:1].isalpha():
        return []
    found: list[int] = []
    title = lower.capitalize()
    found += [9] if lower in names.family_romaji else []
    found += [10] if lower in names.given_romaji else []
    found += [11] if title in names.foreign["en_first"] else []
    found += [12] if title in names.foreign["en_last"] else []
    found += [19] if lower in names.towns_romaji else []
    found += [20] if lower in names.english else []
    if surface.isupper() and len(surface) > 1:
        found.append(13)
    elif surface[0].isupper():
        found.append(14)
    return found


class _Numbers(dict[tuple[str, int], int]):
    """Numbers of morphemes (surface, number of the part of speech), learnt when first asked for."""

    def __init__(self, learn: Callable[[str, int], int]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, key: tuple[str, int]) -> int:
        surface, pos = key
        if _LONG_NUMBER.fullmatch(surface):
            # Every text has its own, learning one takes a tenth of a scan, and no name depends on which digits they are.
            like = _DIGITS.sub("5", surface), pos
            if like != key:
                return self[like]
        number = self[key] = self._learn(surface, pos)
        return number


class Featurizer:
    """Texts to `Rows`."""

    def __init__(self, dictionary: sudachipy.Dictionary, names: NameLists) -> None:
        # Readings and normal forms are not wanted; reading them from the dictionary takes a tenth of the time.
        self._dictionary = dictionary
        self._tokenize = dictionary.create(sudachipy.SplitMode.A, fields={"surface", "pos"}).tokenize
        # Filled anew for each text.
        self._found = self._tokenize("")
        self._names = names
        count = len(dictionary.pos_matcher(lambda _: True))
        self._classes = [pos_class(dictionary.pos_of(number)) for number in range(count)]
        self._numbers = _Numbers(self._learn)
        self._pairs: dict[tuple[int, int], int] = {}
        self.facts: list[Fact] = []
        # Per distinct morpheme, grown by doubling: sums of the traits above.
        self._traits = np.zeros(1024, np.uint8)

    def rows(self, text: str) -> Rows:
        """The rows of a text."""
        # Read column by column: a loop over morphemes costs half as much again.
        found = list(self._tokenize(text, out=self._found))
        starts = list(map(_begin, found))
        tokens = list(map(self._numbers.__getitem__, zip(map(_surface, found), map(_pos, found), strict=True)))
        # Morphemes follow each other without gaps.
        ends = [*starts[1:], len(text)] if found else []
        if _SPACE not in tokens:
            return self._arrays(tokens, starts, ends)
        kept = [place for place, token in enumerate(tokens) if token != _SPACE]
        rows = self._arrays(*([column[place] for place in kept] for column in (tokens, starts, ends)))
        spaces = np.diff(np.array(kept, np.intp)) - 1
        rows.beside[1:] += np.minimum(spaces, 2) * besides(1, 0, 0)
        return rows

    def plain(self, rows: Rows, place: int) -> bool:
        """Whether nothing but the neighbours could make a row a name.

        No list and no dictionary knows it as one, and no honorific follows.
        """
        if self._traits[rows.tokens[place]] & _KNOWN:
            return False
        return place + 1 == len(rows.tokens) or not self._traits[rows.tokens[place + 1]] & _HONORIFIC

    def learn(self, keys: Iterable[tuple[str, int]]) -> None:
        """Makes facts of morphemes beforehand; a part of speech the dictionary does not have is passed over."""
        for key in keys:
            if key[1] < len(self._classes):
                self._numbers[key]

    def forget(self, kept: int) -> None:
        """Forgets all but the first `kept` facts."""
        for key in self.keys()[kept:]:
            del self._numbers[key]
        self._pairs.clear()
        del self.facts[kept:]

    def keys(self) -> list[tuple[str, int]]:
        """The morphemes of `facts`: surface and number of the part of speech."""
        return [key for key, number in self._numbers.items() if number != _SPACE]

    def _learn(self, surface: str, pos: int) -> int:
        if surface == " ":
            return _SPACE
        number = len(self.facts)
        fact = Fact(surface, self._classes[pos], flags_of(surface, self._names), self._normal(surface, pos))
        self.facts.append(fact)
        if number >= len(self._traits):
            self._traits = np.concatenate([self._traits, np.zeros_like(self._traits)])
        self._traits[number] = _traits_of(fact)
        return number

    def _normal(self, surface: str, pos: int) -> str:
        """The form under which the dictionary has the word (走っ → 走る, する → 為る); the surface of what it lacks."""
        for entry in self._dictionary.lookup(surface):
            if entry.part_of_speech_id() == pos:
                normal: str = entry.normalized_form()
                return normal
        return surface

    def _arrays(self, tokens: list[int], starts: list[int], ends: list[int]) -> Rows:
        numbers = np.array(tokens, np.intp)
        traits = self._traits.take(numbers)
        beside = np.zeros(len(tokens), np.intp)
        pairable = traits & _PAIRABLE
        for place in (pairable[:-1] & pairable[1:]).nonzero()[0].tolist():
            kind = self._pair(tokens[place], tokens[place + 1])
            if kind:
                beside[place] += besides(0, kind, 0)
                beside[place + 1] += kind
        return Rows(numbers, starts, ends, beside, (traits[:-1] & _ENDS).nonzero()[0])

    def _pair(self, left: int, right: int) -> int:
        kind = self._pairs.get((left, right))
        if kind is None:
            joined = self.facts[left].surface + self.facts[right].surface
            family = joined in self._names.family or joined in self._names.rare
            kind = PAIR_FAMILY * family + PAIR_GIVEN * (joined in self._names.given)
            self._pairs[left, right] = kind
        return kind


def _traits_of(fact: Fact) -> int:
    pairable = len(fact.surface) <= _HALF and is_kanji(fact.surface)
    known = (fact.flags and not _NO_EVIDENCE.issuperset(fact.flags)) or "固有名詞" in fact.pos
    return (
        _PAIRABLE * pairable
        + _ENDS * (fact.surface[-1:] in _SENTENCE_ENDS)
        + _KNOWN * known
        + _HONORIFIC * (_HONORIFIC_FLAG in fact.flags)
    )
