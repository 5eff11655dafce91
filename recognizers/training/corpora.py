"""Public corpora that the tagger learns from, read into `Document`s. None of them is part of this repository.

| name | what | licence |
|---|---|---|
| `ner-wikipedia/ner.json` | Stockmark, Japanese Wikipedia sentences with entities, v2.0 | CC BY-SA 3.0 |
| `gsd/train.bio` | megagonlabs/UD_Japanese-GSD, `stanza/train.bio` | CC BY-SA 4.0 |
| `wac/knp/*/*.knp` | ku-nlp/WikipediaAnnotatedCorpus | CC BY-SA 4.0 |
| `ewt/en_ewt-ud-{dev,test}.iob2` | UniversalNER/UNER_English-EWT | CC BY-SA 4.0 |
| `wnut/emerging.dev.conll`, `wnut/emerging.test.annotated` | leondz/emerging_entities_17 | CC BY 4.0 |
| `asdc/*.jsonl` | megagonlabs/asdc, `data/vanilla/{topic.L1.4turn,topic.L2.misc.1turn,travel}.VanillaUtterances.jsonl` | CC BY 4.0 |
| `tanaka/train.ja` | odashi/small_parallel_enja (Tanaka corpus) | CC BY 2.0 FR |
| `ja_ginza.whl` | ja_ginza 5.3.0 from PyPI, read by `vectors.py`: word vectors of chiVe 1.2 mc90 | MIT; chiVe Apache-2.0 |
| `react/*.md` | reactjs/ja.react.dev, `src/content` without `blog` and `community`, flat | CC BY 4.0 |

`asdc`, `tanaka` and `react` have no labels: of them only text is taken in which the dictionary sees no name at all.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sudachipy

from recognizers.names import NameLists
from recognizers.training.widen import Document, Ranges

TEST_SENTENCES = 1_000
_KNP_ENTITY = re.compile(r"NE:(PERSON|OPTIONAL):(head|middle|tail|single)")
_KNP_THING = re.compile("NE:(?:ORGANIZATION|LOCATION|ARTIFACT)")
# Entities of GSD that name nothing.
_NO_NAMES = ("DATE", "TIME", "QUANTITY", "CARDINAL", "ORDINAL", "MONEY", "PERCENT", "LANGUAGE")
# Sample data in documentation: people the dictionary does not know.
_SAMPLE_DATA = re.compile(r"(?i)name|artist|author|sculpt|alt=")
_CLOSING = ".,!?:;)]%'"


class _Builder:
    """Joins words to a text and remembers which were names."""

    def __init__(self) -> None:
        self.text = ""
        self._spans: list[list[int]] = []
        self._others: list[list[int]] = []

    def add(self, word: str, tag: str, *, space: bool = False) -> None:
        """Appends a word; `tag` is B or I of a person, X of something else that has a name, or O."""
        self.text += " " if space and self.text else ""
        start = len(self.text)
        self.text += word
        if tag == "B":
            self._spans.append([start, len(self.text)])
        elif tag == "I" and self._spans:
            self._spans[-1][1] = len(self.text)
        elif tag == "X":
            self._others.append([start, len(self.text)])

    def join(self, other: _Builder) -> None:
        """Appends another text."""
        for own, more in ((self._spans, other._spans), (self._others, other._others)):
            own += [[start + len(self.text), end + len(self.text)] for start, end in more]
        self.text += other.text

    def document(self) -> Document:
        """What was built."""
        spans, others = (tuple((start, end) for start, end in ranges) for ranges in (self._spans, self._others))
        return Document(self.text, spans, others, whole=True)


def wikipedia(path: Path) -> tuple[list[Document], list[Document]]:
    """Sentences to train on, and `TEST_SENTENCES` that are never trained on."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    documents = [
        Document(entry["text"], _ranges(entry, person=True), _ranges(entry, person=False), whole=True)
        for entry in entries
    ]
    random.Random(20261121).shuffle(documents)
    return documents[TEST_SENTENCES:], documents[:TEST_SENTENCES]


def _ranges(entry: dict[str, Any], *, person: bool) -> Ranges:
    """The entities of a sentence that are people, or those that are not."""
    found = [(e["span"][0], e["span"][1]) for e in entry["entities"] if (e["type"] == "人名") == person]
    return tuple(sorted(found))


def gsd(path: Path) -> list[Document]:
    """UD Japanese GSD in its two-column BIO form, one document per sentence."""
    documents = []
    current = _Builder()
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if not line:
            documents += [current.document()] if current.text else []
            current = _Builder()
            continue
        word, tag = line.split("\t")
        last = current.text[-1:]
        latin = last.isascii() and last.isalnum() and word[0].isascii() and word[0].isalnum()
        thing = "O" if tag == "O" or tag.endswith(_NO_NAMES) else "X"
        current.add(word, tag[0] if tag.endswith("PERSON") else thing, space=latin)
    return documents


def wikipedia_annotated(folder: Path) -> list[Document]:
    """KNP files; sentences with an entity marked optional are left out."""
    documents = []
    for path in sorted(folder.glob("knp/*/*.knp")):
        whole = _Builder()
        for sentence in _knp_sentences(path):
            if sentence is None:
                documents += [whole.document()] if whole.text else []
                whole = _Builder()
            else:
                whole.join(sentence)
        documents += [whole.document()] if whole.text else []
    return documents


def _knp_sentences(path: Path) -> Iterator[_Builder | None]:
    sentence, doubtful = _Builder(), False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(("#", "*", "+")):
            continue
        if line.startswith("EOS"):
            yield None if doubtful else sentence
            sentence, doubtful = _Builder(), False
            continue
        found = _KNP_ENTITY.findall(line)
        doubtful = doubtful or any(kind == "OPTIONAL" for kind, _ in found)
        places = [place for kind, place in found if kind == "PERSON"]
        thing = "X" if _KNP_THING.search(line) else "O"
        tag = ("B" if places[0] in ("head", "single") else "I") if places else thing
        sentence.add(line.split(" ")[0].replace("\u3000", " "), tag)


def english(folder: Path) -> list[Document]:
    """EWT paragraphs and WNUT posts."""
    documents: list[Document] = []
    for name in ("en_ewt-ud-dev.iob2", "en_ewt-ud-test.iob2"):
        documents += _columns(folder / "ewt" / name, word=1, tag=2, least=400)
    for name in ("emerging.dev.conll", "emerging.test.annotated"):
        documents += _columns(folder / "wnut" / name, word=0, tag=1, least=0)
    return documents


def _columns(path: Path, *, word: int, tag: int, least: int) -> Iterator[Document]:
    """Sentences in columns; they are joined until a document ends or has `least` characters."""
    current = _Builder()
    for line in [*path.read_text(encoding="utf-8").splitlines(), "# newdoc"]:
        if line.startswith("# newdoc") or (not line.strip() and len(current.text) > least):
            if current.text:
                yield current.document()
            current = _Builder()
        elif line.strip() and not line.startswith("# "):
            fields = line.split("\t")
            person = fields[tag][2:5].lower() == "per"
            thing = "O" if fields[tag] in ("O", "_") else "X"
            current.add(fields[word], fields[tag][0] if person else thing, space=_spaced(current.text, fields[word]))


def _spaced(before: str, word: str) -> bool:
    return before[-1:] not in tuple('(["$#@/') and word not in _CLOSING and not word.startswith(("'", "n't", "’"))


def nameless(folder: Path, *, characters: int, seed: int) -> list[Document]:
    """Dialogue and sentences in which the dictionary sees no name, about `characters` of each."""
    tokenize = sudachipy.Dictionary().create(sudachipy.SplitMode.A).tokenize
    foreign = NameLists.load().foreign
    stops = foreign["kata_given"] | foreign["kata_family"] | {"さん", "氏", "君", "くん", "ちゃん"}

    def plain(text: str) -> bool:
        return not any(m.part_of_speech()[2] == "人名" or m.surface() in stops for m in tokenize(text))

    chance = random.Random(seed)
    documents: list[Document] = []
    for source in (_dialogue(folder / "asdc"), _tanaka(folder / "tanaka" / "train.ja")):
        lines = sorted(set(source))
        chance.shuffle(lines)
        documents += _gathered(filter(plain, lines), characters, chance)
    return documents


def technical(folder: Path, *, characters: int, seed: int) -> list[Document]:
    """Four-line blocks of documentation and code without names, about `characters`."""
    names = NameLists.load().foreign
    latin = {name.lower() for key in ("en_first", "en_last") for name in names[key]}
    kata = names["kata_given"] | names["kata_family"]
    tokenize = sudachipy.Dictionary().create(sudachipy.SplitMode.A).tokenize

    def named(morpheme: sudachipy.Morpheme) -> bool:
        surface = morpheme.surface()
        if surface[:1].isupper() and surface.lower() in latin:
            return True
        return surface in kata or (morpheme.part_of_speech()[2] == "人名" and not surface.isascii())

    blocks = [block for path in sorted(folder.glob("*.md")) for block in _blocks(path)]
    random.Random(seed).shuffle(blocks)
    documents: list[Document] = []
    taken = 0
    for block in blocks:
        if taken > characters:
            break
        if not any(named(morpheme) for morpheme in tokenize(block)):
            documents.append(Document(block, ()))
            taken += len(block)
    return documents


def _blocks(path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    for start in range(0, len(lines), 4):
        block = "\n".join(lines[start : start + 4]).strip()
        if 30 < len(block) < 700 and not _SAMPLE_DATA.search(block):
            yield block


def _gathered(lines: Iterable[str], characters: int, chance: random.Random) -> Iterator[Document]:
    taken, text = 0, ""
    for line in lines:
        taken += len(line)
        text += line
        if len(text) >= 60 or chance.random() < 0.5:
            yield Document(text, ())
            text = ""
        if taken > characters:
            return


def _dialogue(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from (turn["text"] for turn in json.loads(line)["utterances"])


def _tanaka(path: Path) -> Iterator[str]:
    yield from (line.replace(" ", "") for line in path.read_text(encoding="utf-8").splitlines())
