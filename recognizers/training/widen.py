"""Template lines to labelled documents (format: README.md here).

A line is parsed once into parts, then drawn several times. Output: `Document(text, spans)`, spans being the code-point ranges
labelled PERSON. Errors name file, line and placeholder: a typing error in a sentence file must not train a model.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from recognizers.names import read_lists
from recognizers.training.people import LISTS, Person, Population, half_width, katakana

T = TypeVar("T")

SENTENCES = Path(__file__).with_name("sentences")
DEFAULT_REPEAT = 4
_PART = re.compile(r"\\(.)|\[\[(.+?)\]\]|\{([^{}]+)\}|\(\?((?:[^()\\]|\\.|\((?!\?)[^()]*\))*)\)", re.DOTALL)
_NAME = re.compile(r"(-?)([a-z0-9]+_?)(?:\.([hkwrRs]))?(?:#(\d+))?")
_ESCAPES = {"n": "\n", "t": "\t"}

Range = tuple[int, int]
Ranges = tuple[Range, ...]
# Lists of `lists/context.txt` that hold names of things.
_NAMED = frozenset({"org", "station", "place", "town", "product", "school"})


class Document(NamedTuple):
    """A text and the ranges that are names of people, sorted, not overlapping.

    `others` are ranges of names of other things (companies, places), and all of them if `whole`; `doubtful` may be
    taken for a name or not.
    """

    text: str
    spans: Ranges
    others: Ranges = ()
    whole: bool = False
    doubtful: Ranges = ()

    def moved(self, by: int) -> Document:
        """The same with all ranges so much further on."""
        spans, others, doubtful = (
            tuple((start + by, end + by) for start, end in ranges)
            for ranges in (self.spans, self.others, self.doubtful)
        )
        return self._replace(spans=spans, others=others, doubtful=doubtful)


class SentenceError(ValueError):
    """A sentence file breaks the format; the message names file and line."""


@dataclass(slots=True)
class _Draft:
    """A document being written."""

    pieces: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    others: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0
    people: dict[str, Person] = field(default_factory=dict)
    english: dict[str, tuple[str, str]] = field(default_factory=dict)

    def write(self, text: str, *, person: bool = False) -> None:
        if person and text:
            self.spans.append((self.length, self.length + len(text)))
        self.pieces.append(text)
        self.length += len(text)


class Widener:
    """Draws documents from template lines; deterministic for a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._population = Population(self._chance)
        self._lists = read_lists(LISTS / "context.txt")

    def documents(self, line: str) -> Iterator[Document]:
        """All documents of one line. Raises ValueError on an unknown placeholder."""
        repeat = DEFAULT_REPEAT if "{" in line or "(?" in line else 1
        if match := re.match(r"\*(\d+) ", line):
            repeat, line = int(match[1]), line[match.end() :]
        for _ in range(repeat):
            yield self.draw(line)

    def draw(self, line: str) -> Document:
        """One document."""
        draft = _Draft()
        self._fill(line, draft)
        return Document("".join(draft.pieces), tuple(draft.spans), tuple(draft.others))

    def _fill(self, template: str, draft: _Draft, *, label: bool = True) -> None:
        last = 0
        for match in _PART.finditer(template):
            draft.write(template[last : match.start()])
            last = match.end()
            escape, literal, placeholder, choices = match.groups()
            if escape is not None:
                draft.write(_ESCAPES.get(escape, escape))
            elif literal is not None:
                draft.write(_unescaped(literal), person=label)
            elif placeholder is not None:
                self._place(placeholder, draft, label=label)
            else:
                self._fill(self._chance.choice(_alternatives(choices)), draft, label=label)
        draft.write(template[last:])

    def _place(self, placeholder: str, draft: _Draft, *, label: bool) -> None:
        match = _NAME.fullmatch(placeholder)
        if match is None:
            raise SentenceError(f"placeholder {{{placeholder}}} is not of the form name.form#number")
        minus, name, form, number = match.groups()
        if name in self._lists:
            start = draft.length
            self._fill(self._chance.choice(self._lists[name]), draft, label=name == "nick")
            if name in _NAMED:
                draft.others.append((start, draft.length))
            if name == "nick":
                draft.spans.append((draft.length - len(draft.pieces[-1]), draft.length))
            return
        if name == "muni":
            draft.write(self._population.municipality())
            return
        text = self._number(name) or self._name(name, form or "", number, draft)
        thing = bool(minus) or name in _THINGS
        draft.write(text, person=not thing and label and name not in _NUMBERS)
        if thing and text:
            draft.others.append((draft.length - len(text), draft.length))

    def _number(self, name: str) -> str:
        return _NUMBERS[name](self._chance) if name in _NUMBERS else ""

    def _name(self, name: str, form: str, number: str | None, draft: _Draft) -> str:
        if name in ("en", "en1", "en2"):
            first, last = self._keyed(draft.english, number, self._population.english)
            return {"en": f"{first} {last}", "en1": first, "en2": last}[name]
        if name in _FOREIGN:
            return _FOREIGN[name](self._population)
        person = self._keyed(draft.people, number, self._population.person)
        return render(person, name, form, self._chance)

    @staticmethod
    def _keyed(known: dict[str, T], number: str | None, new: Callable[[], T]) -> T:
        if number is None:
            return new()
        if number not in known:
            known[number] = new()
        return known[number]


def _unescaped(literal: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), literal)


def _alternatives(choices: str) -> list[str]:
    return re.split(r"(?<!\\)\|", choices)


def _digits(chance: random.Random) -> str:
    return str(chance.randrange(10 ** chance.randint(3, 7)))


_NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "num": _digits,
    "n1": lambda chance: str(chance.randint(1, 10 ** chance.randint(1, 3))),
}
_FOREIGN: dict[str, Callable[[Population], str]] = {
    "kata": lambda people: people.kata(),
    "kata1": lambda people: people.pick(people.foreign["kata_family"] + people.foreign["kata_given"]),
    "cjk": lambda people: people.pick(people.foreign["cjk"]),
    "hangul": lambda people: people.pick(people.foreign["hangul"]),
    "zh": lambda people: people.pick(people.foreign["zh"]),
    "vn": lambda people: people.pick(people.foreign["vn"]),
    "world": lambda people: " ".join(people.pick(people.foreign["world"]) for _ in range(2)),
    "world1": lambda people: people.pick(people.foreign["world"]),
    "one": lambda people: people.one_kanji(),
    "ini": lambda people: people.initialled(),
    "brand": lambda people: people.thing("brand", latin=False),
    "brandr": lambda people: people.thing("brand", latin=True),
    "city": lambda people: people.thing("place", latin=False),
    "cityr": lambda people: people.thing("place", latin=True),
    "cjk1": lambda people: people.pick(people.foreign["cjk"])[0],
}
_THINGS = frozenset({"brand", "brandr", "city", "cityr"})
_FORMS: dict[str, Callable[[str, str, str], str]] = {
    "": lambda surface, _kana, _romaji: surface,
    "h": lambda _surface, kana, _romaji: kana,
    "k": lambda _surface, kana, _romaji: katakana(kana),
    "w": lambda _surface, kana, _romaji: half_width(kana),
    "r": lambda _surface, _kana, romaji: romaji.capitalize(),
    "R": lambda _surface, _kana, romaji: romaji.upper(),
    "s": lambda _surface, _kana, romaji: romaji.capitalize(),
}


def render(person: Person, name: str, form: str, chance: random.Random) -> str:
    """A person's name as the placeholder `name.form` asks for it. Raises SentenceError if there is no such one."""
    sei = _FORMS[form](person.sei, person.sei_kana, person.sei_romaji)
    mei = _FORMS[form](person.mei, person.mei_kana, person.mei_romaji)
    if name in ("sei", "mei"):
        return sei if name == "sei" else mei
    if name not in ("full", "full_"):
        raise SentenceError(f"there is no placeholder {{{name}}}")
    if form in ("r", "R", "s"):
        return f"{mei} {sei}" if form == "r" else f"{sei} {mei}"
    space = chance.choice("    \u3000\u3000") if name == "full_" else ""
    return sei + space + mei


def read_documents(seed: int, folder: Path = SENTENCES) -> Iterator[Document]:
    """All documents of all sentence files, in file order. Raises SentenceError naming file and line."""
    widener = Widener(seed)
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            try:
                yield from widener.documents(line)
            except (SentenceError, KeyError) as error:
                raise SentenceError(f"{path.name}, line {number}: {error}") from error
