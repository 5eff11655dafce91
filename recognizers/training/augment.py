"""Makes more of labelled documents: other names in the same sentences, other ways of writing the same text.

All randomness comes from the `random.Random` given. Spans follow the text.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import sudachipy

from recognizers.person_features import is_kanji
from recognizers.training.people import Population
from recognizers.training.widen import Document, Range, Ranges

# What stands behind a name to say that it is one; the longest first, so that くん is not cut out of something else.
_HONORIFIC = re.compile("さん|さま|くん|ちゃん|先生|先輩|様|氏|殿|君")
_HONORIFICS = ("さん", "様", "氏", "さま", "くん", "先生", "先輩", "殿", "")
_MARKS = re.compile("[、。？！「」・…]")
_JOINTS = ("\n", "\n", "\n\n", "。", "、", " ", "／", " ", "。", "\t")


def renamed(document: Document, population: Population, chance: random.Random) -> Document:
    """The document with every name replaced by an invented one of the same kind and length."""
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    length = last = 0
    for start, end in document.spans:
        before, name = document.text[last:start], _other(document.text[start:end], population, chance)
        spans.append((length + len(before), length + len(before) + len(name)))
        pieces += [before, name]
        length, last = length + len(before) + len(name), end
    others, doubtful = (
        tuple((start + by, end + by) for start, end in ranges for by in [_shift(document.spans, spans, start)])
        for ranges in (document.others, document.doubtful)
    )
    text = "".join([*pieces, document.text[last:]])
    return document._replace(text=text, spans=tuple(spans), others=others, doubtful=doubtful)


def _shift(before: Ranges, after: Sequence[Range], place: int) -> int:
    """How far what stood at `place` has moved: as far as the end of the last name before it."""
    passed = bisect_right([end for _, end in before], place)
    return after[passed - 1][1] - before[passed - 1][1] if passed else 0


def _other(name: str, population: Population, chance: random.Random) -> str:
    if is_kanji(name):
        person = population.person()
        if len(name) >= 3:
            return person.sei + person.mei
        return person.sei if len(name) == 2 and chance.random() < 0.7 else person.mei
    if all("\u30a0" <= char <= "\u30ff" or char in "・＝" for char in name):
        return population.kata() if len(name) > 5 else population.pick(population.foreign["kata_given"])
    return _latin(name, population, chance) if name.isascii() and name[:1].isupper() else name


def _latin(name: str, population: Population, chance: random.Random) -> str:
    person, (first, last) = population.person(), population.english()
    if chance.random() < 0.65:
        first, last = person.mei_romaji.capitalize(), person.sei_romaji.capitalize()
    if " " not in name:
        return first if chance.random() < 0.55 else last
    return chance.choice([f"{first} {last}"] * 8 + [f"{last} {first}", f"{last.upper()} {first}"])


def joined(documents: Sequence[Document], chance: random.Random) -> Iterator[Document]:
    """The documents in another order, one to four of them in a row made one."""
    order = list(documents)
    chance.shuffle(order)
    index = 0
    while index < len(order):
        count, joint = chance.choice([1, 1, 1, 1, 2, 2, 3, 4]), chance.choice(_JOINTS)
        text = ""
        parts: list[Document] = []
        for document in order[index : index + count]:
            text += joint if text else ""
            parts.append(document.moved(len(text)))
            text += document.text
        spans = tuple(span for part in parts for span in part.spans)
        others = tuple(span for part in parts for span in part.others)
        yield Document(text, spans, others)
        index += count


def readdressed(document: Document, chance: random.Random) -> Document:
    """The document with other honorifics behind names, or without: what a name is must not hang on 様 alone."""
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    length = last = 0
    for start, end in document.spans:
        spans.append((length + start - last, length + end - last))
        pieces.append(document.text[last:end])
        length, last = length + end - last, end
        honorific = _HONORIFIC.match(document.text, end)
        if honorific is not None and end - start > 1 and chance.random() < 0.7:
            other = chance.choice(_HONORIFICS)
            pieces.append(other)
            length, last = length + len(other), honorific.end()
    return Document("".join([*pieces, document.text[last:]]), tuple(spans))


def unmarked(document: Document, chance: random.Random) -> Document:
    """The document without most of its punctuation marks outside names, as hasty typing and dictation leave it."""
    inside = {place for start, end in document.spans for place in range(start, end)}
    text = ""
    places = []
    for index, char in enumerate(document.text):
        places.append(len(text))
        if index in inside or not _MARKS.match(char) or chance.random() < 0.15:
            text += char
    return _moved(document, text, places)


def lowercased(document: Document) -> Document:
    """The document in small letters (the same length: characters whose small form is longer stay)."""
    small = "".join(char.lower() if len(char.lower()) == 1 else char for char in document.text)
    return Document(small, document.spans)


def transcript(document: Document, tokenizer: sudachipy.Tokenizer, chance: random.Random) -> Document:
    """A space at every morpheme and few punctuation marks, as speech recognition writes."""
    starts = {morpheme.begin() for morpheme in tokenizer.tokenize(document.text)}
    text = ""
    places = []
    for index, char in enumerate(document.text):
        if index in starts and text and not text.endswith((" ", "\n")) and char not in " \n、。":
            text += " "
        places.append(len(text))
        text += " " if char in "、。" and chance.random() < 0.7 else char
    return _moved(document, text, places)


def letterspaced(document: Document, chance: random.Random) -> Document:
    """Spaces between all Japanese characters, as on forms and after OCR."""
    text = ""
    places = []
    for char in document.text:
        if text and "\n" not in (text[-1], char) and not (char.isascii() and text[-1].isascii()):
            text += chance.choice([" ", " ", " ", "  ", "\u3000"])
        places.append(len(text))
        text += char
    return _moved(document, text, places)


def _moved(document: Document, text: str, places: list[int]) -> Document:
    return Document(text, tuple((places[start], places[end - 1] + 1) for start, end in document.spans))


def mostly_japanese(text: str) -> bool:
    """Whether more than half of the characters are kana, kanji or other wide ones."""
    return sum(char > "\u3040" for char in text) > len(text) * 0.6
