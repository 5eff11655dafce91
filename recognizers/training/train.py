"""Trains `recognizers/models/person.npz`. Deterministic for a seed on one machine.

usage: python -m recognizers.training.train CORPORA [--out FILE] [--epochs N] [--seed N]

CORPORA is a folder laid out as `corpora.py` says. Needs `jax` (CPU is enough: about ten minutes on four cores),
which is no dependency of the product, and the same sudachipy and dictionary as at run time. Strategy: Adam on the
cross-entropy of three tags per morpheme; words, letters and list flags are dropped at random, so that the network
has to use all of them and does not learn names by heart; every epoch sees the template sentences with other names.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax  # type: ignore[import-not-found,unused-ignore]
import numpy as np
import numpy.typing as npt
import sudachipy

from recognizers.folded import FoldedText
from recognizers.names import NameLists
from recognizers.person_features import Featurizer
from recognizers.person_network import MODEL, Vocabulary, columns_of, shape_of
from recognizers.training import augment, corpora, jax_network
from recognizers.training.export import save
from recognizers.training.jax_network import COLUMNS, OFFSETS
from recognizers.training.people import Population
from recognizers.training.widen import Document, read_documents

FLAGS_KEPT = 8
DRAWS = 12
DRAWS_PER_EPOCH = 2
ROW, BATCH, GAP = 160, 32, 10
PIECE = 1_500
FREQUENT = 12_000
Array = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sample:
    """One document: columns token + 1, space, pair, pair before, sentence; and the tag of each morpheme (0, 1, 2)."""

    inputs: Array
    tags: Array


def encode(documents: Sequence[Document], featurizer: Featurizer) -> list[Sample]:
    """Documents to samples; the featurizer remembers all morphemes."""
    return [_sample(text, spans, featurizer) for document in documents for text, spans in _pieces(document)]


def _pieces(document: Document) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    for start in range(0, max(1, len(document.text)), PIECE):
        spans = [(max(0, a - start), b - start) for a, b in document.spans if b > start and a < start + PIECE]
        yield document.text[start : start + PIECE], spans


def _sample(text: str, spans: list[tuple[int, int]], featurizer: Featurizer) -> Sample:
    folded = FoldedText(text)
    rows = featurizer.rows(folded.folded)
    marks = np.zeros(len(text) + 1, np.int32)
    for start, end in spans:
        marks[start] = 1
        marks[start + 1 : end] = 2
    tags = np.zeros(len(rows.tokens), np.int32)
    for index, (start, end) in enumerate(zip(rows.starts, rows.ends, strict=True)):
        part = marks[slice(*folded.span(start, end))]
        if 2 * np.count_nonzero(part) >= len(part):
            tags[index] = 1 if (part == 1).any() else 2
    before = np.zeros_like(rows.pairs)
    before[1:] = rows.pairs[:-1]
    columns = [rows.tokens + 1, rows.spaces, rows.pairs, before, rows.sentence]
    return Sample(np.stack(columns, 1).astype(np.int32), tags)


def vocabulary_of(real: Sequence[Sample], drawn: Sequence[Sample], featurizer: Featurizer) -> Vocabulary:
    """What is frequent enough to get a row of its own. Words count outside names only: names are not to be learnt.

    What the dictionary has as a name counts in real text alone. In a template it would be learnt by heart as no name
    for being part of one company; its lists and letters are to tell, and its neighbours.
    """
    words: Counter[str] = Counter()
    pos: set[str] = set()
    shapes: Counter[str] = Counter()
    seen: set[int] = set()
    for samples, natural in ((real, True), (drawn, False)):
        for sample in samples:
            for token, tag in zip((sample.inputs[:, 0] - 1).tolist(), sample.tags.tolist(), strict=True):
                fact = featurizer.facts[token]
                words[fact.surface.lower()] += tag == 0 and (natural or "人名" not in fact.pos)
                shapes[shape_of(fact.surface)] += 1
                pos.add(fact.pos)
                seen.add(token)
    chars = Counter(char for token in seen for char in featurizer.facts[token].surface)
    return Vocabulary(
        words=_numbered((word for word, count in words.items() if count >= 3), 2),
        chars=_numbered((char for char, count in chars.items() if count >= 2), 2),
        pos=_numbered(pos, 1),
        shapes=_numbered((shape for shape, count in shapes.items() if count >= 5), 2),
    )


def _numbered(entries: Any, first: int) -> dict[str, int]:
    return {entry: number for number, entry in enumerate(sorted(entries), first)}


def fact_table(featurizer: Featurizer, vocabulary: Vocabulary) -> Array:
    """Per morpheme the rows of the embedding tables, then its flags plus one; row 0 is padding."""
    table = np.zeros((len(featurizer.facts) + 1, len(COLUMNS) + FLAGS_KEPT), np.int32)
    for number, fact in enumerate(featurizer.facts, 1):
        columns = columns_of(fact, vocabulary)
        table[number, : len(COLUMNS)] = [columns[name] for name in COLUMNS]
        for place, flag in enumerate(fact.flags[:FLAGS_KEPT]):
            table[number, len(COLUMNS) + place] = flag + 1
    return table


def batches(samples: Sequence[Sample], order: npt.NDArray[np.int64]) -> Iterator[tuple[Array, Array]]:
    """Samples packed into rows of `ROW` morphemes with gaps, `BATCH` rows at a time; tag -1 where nothing is."""
    rows: list[tuple[Array, Array]] = []
    inputs, tags, place = _empty_row()
    for index in order:
        sample = samples[index]
        for start in range(0, len(sample.tags), ROW):
            part = sample.tags[start : start + ROW]
            if place + len(part) > ROW:
                rows.append((inputs, tags))
                inputs, tags, place = _empty_row()
            inputs[place : place + len(part)] = sample.inputs[start : start + ROW]
            tags[place : place + len(part)] = part
            place += len(part) + GAP
    rows.append((inputs, tags))
    while len(rows) % BATCH:
        rows.append(_empty_row()[:2])
    for start in range(0, len(rows), BATCH):
        chosen = rows[start : start + BATCH]
        yield np.stack([row[0] for row in chosen]), np.stack([row[1] for row in chosen])


def _empty_row() -> tuple[Array, Array, int]:
    return np.zeros((ROW, 5), np.int32), np.full(ROW, -1, np.int32), 0


def real_text(folder: Path, population: Population, chance: random.Random) -> list[Document]:
    """Everything from the corpora, sentences with names also with other names."""
    wiki, _ = corpora.wikipedia(folder / "ner-wikipedia" / "ner.json")
    japanese = [*wiki, *corpora.gsd(folder / "gsd" / "train.bio"), *corpora.wikipedia_annotated(folder / "wac")]
    english = corpora.english(folder)
    named = [document for document in japanese if document.spans]
    named += [document for document in english if document.spans for _ in range(2)]
    others = [augment.renamed(document, population, chance) for document in named]
    nameless = corpora.nameless(folder, characters=300_000, seed=4)
    technical = corpora.technical(folder / "react", characters=150_000, seed=9)
    return [*japanese, *english, *others, *nameless, *technical]


def template_text(chance: random.Random, tokenizer: sudachipy.Tokenizer) -> list[Document]:
    """`DRAWS` draws of all template sentences, some of them as transcripts and forms write."""
    documents: list[Document] = []
    for draw in range(DRAWS):
        drawn = list(read_documents(100 + draw))
        documents += augment.joined(drawn, chance)
        short = [d for d in drawn if len(d.text) < 40 and augment.mostly_japanese(d.text)]
        documents += [augment.transcript(d, tokenizer, chance) for d in chance.sample(short, 100)]
        documents += [augment.letterspaced(d, chance) for d in chance.sample(short, 100)]
        documents += [augment.readdressed(d, chance) for d in chance.sample(drawn, len(drawn) // 12)]
        documents += [augment.unmarked(d, chance) for d in chance.sample(drawn, len(drawn) // 25)]
        latin = [d for d in drawn if d.text.isascii()]
        documents += [augment.lowercased(d) for d in chance.sample(latin, len(latin) // 12)]
    return documents


def rate_at(count: int, total: int, peak: float) -> float:
    """Learning rate: a short rise, then half a cosine down to 2 %."""
    return float(peak * min(1, count / 80) * (0.49 * (1 + np.cos(np.pi * min(1, count / total))) + 0.02))


def fit(real: list[Sample], drawn: list[Sample], table: Array, vocabulary: Vocabulary, args: argparse.Namespace) -> Any:
    """Trains; returns the parameters as numpy arrays."""
    params = jax_network.initial(jax.random.PRNGKey(args.seed), vocabulary)
    zeros = jax.tree.map(np.zeros_like, params)
    state, key, shuffle = (params, zeros, zeros), jax.random.PRNGKey(args.seed + 1), np.random.default_rng(args.seed)
    average = params
    count = total = 0
    for epoch in range(args.epochs):
        samples = real + drawn[epoch % (DRAWS // DRAWS_PER_EPOCH) :: DRAWS // DRAWS_PER_EPOCH]
        losses = []
        todo = list(batches(samples, shuffle.permutation(len(samples))))
        total = total or len(todo) * args.epochs
        for batch in todo:
            count += 1
            key, used = jax.random.split(key)
            state, loss = jax_network.step(state, float(count), rate_at(count, total, args.rate), table, batch, used)
            average = jax_network.averaged(average, state[0], min(0.998, (count + 1) / (count + 10)))
            losses.append(float(loss))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return jax.tree.map(np.asarray, average)


def frequent_morphemes(samples: list[Sample], featurizer: Featurizer) -> list[tuple[str, int]]:
    """The morphemes that occur most outside names, `FREQUENT` at most."""
    counts: Counter[int] = Counter()
    for sample in samples:
        counts.update((sample.inputs[sample.tags == 0, 0] - 1).tolist())
    keys = featurizer.keys()
    return [keys[number] for number, _ in counts.most_common(FREQUENT)]


def main() -> None:
    """Reads the corpora, trains, writes the model file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance = random.Random(args.seed + 6)
    dictionary = sudachipy.Dictionary()
    featurizer = Featurizer(dictionary, NameLists.load())
    real = encode(real_text(args.corpora, Population(chance), chance), featurizer)
    drawn = encode(template_text(chance, dictionary.create(sudachipy.SplitMode.A)), featurizer)
    vocabulary = vocabulary_of(real, drawn, featurizer)
    params = fit(real, drawn, fact_table(featurizer, vocabulary), vocabulary, args)
    save(args.out, params, vocabulary, OFFSETS, frequent_morphemes([*real, *drawn], featurizer))
    print(f"{args.out.name}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
