"""Trains `recognizers/models/person.npz`. Deterministic for a seed on one machine.

usage: python -m recognizers.training.train CORPORA [--out FILE] [--epochs N] [--seed N]

CORPORA is a folder laid out as `corpora.py` and `unlabelled.py` say. Needs `jax` (CPU is enough: about 45 minutes on
four cores), which is no dependency of the product, and the same sudachipy and dictionary as at run time. Strategy: two
teachers (`jax_network`) learn from the labels by Adam on the cross-entropy of four tags per morpheme, then read
unlabelled text as well; the pupil learns from the labels and from what the teachers find likely. Words, letters and list
flags are dropped at random, so that a network has to use all of them and does not learn names by heart; every epoch sees
the template sentences with other names.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax  # type: ignore[import-not-found,unused-ignore]
import numpy as np
import numpy.typing as npt
import sudachipy

from recognizers.folded import FoldedText
from recognizers.names import NameLists
from recognizers.person_features import Featurizer
from recognizers.person_network import COLUMNS, MODEL, Vocabulary, columns_of, shape_of
from recognizers.training import augment, corpora, jax_network
from recognizers.training.batches import NOTHING, TAGS, Sample, batches
from recognizers.training.export import save
from recognizers.training.jax_network import PUPIL, TEACHERS, Params, Shape
from recognizers.training.labelled import labelled
from recognizers.training.people import Population
from recognizers.training.unlabelled import unlabelled
from recognizers.training.vectors import read_vectors
from recognizers.training.widen import Document, read_documents
from recognizers.word_rows import WordRows

FLAGS_KEPT = 8
DRAWS = 12
# Of the unlabelled text the pupil reads a part in each epoch.
PARTS = 3
PIECE = 1_500
FREQUENT = 12_000
# Tags. NO_PERSON: perhaps the name of something else; DOUBTFUL is not learnt from.
NO_NAME, BEGINS, INSIDE, THING, NO_PERSON, DOUBTFUL, UNMARKED = 0, 1, 2, 3, 4, NOTHING, -2
_OUTSIDE = (NO_NAME, THING, NO_PERSON)
Array = npt.NDArray[np.int32]
# The table of morphemes, the word vectors.
Known = tuple[Array, npt.NDArray[np.float32]]


def encode(documents: Sequence[Document], featurizer: Featurizer) -> list[Sample]:
    """Documents to samples; the featurizer remembers all morphemes."""
    return [_sample(piece, featurizer) for document in documents for piece in _pieces(document)]


def _pieces(document: Document) -> Iterator[Document]:
    for start in range(0, max(1, len(document.text)), PIECE):
        spans, others, doubtful = (
            tuple((max(0, a - start), b - start) for a, b in ranges if b > start and a < start + PIECE)
            for ranges in (document.spans, document.others, document.doubtful)
        )
        text = document.text[start : start + PIECE]
        yield document._replace(text=text, spans=spans, others=others, doubtful=doubtful)


def _sample(document: Document, featurizer: Featurizer) -> Sample:
    folded = FoldedText(document.text)
    rows = featurizer.rows(folded.folded)
    marks = _marks(document)
    tags = np.full(len(rows.tokens), NO_NAME if document.whole else NO_PERSON, np.int32)
    for index, (start, end) in enumerate(zip(rows.starts, rows.ends, strict=True)):
        part = marks[slice(*folded.span(start, end))]
        if 2 * np.count_nonzero(part != UNMARKED) >= len(part) > 0:
            tags[index] = next(tag for tag in (DOUBTFUL, BEGINS, INSIDE, THING) if (part == tag).any())
    before = np.zeros_like(rows.pairs)
    before[1:] = rows.pairs[:-1]
    columns = [rows.tokens + 1, rows.spaces, rows.pairs, before, rows.sentence]
    return Sample(np.stack(columns, 1).astype(np.int32), tags)


def _marks(document: Document) -> Array:
    """The tag of each character that stands in a range, one more at the end; names of people count most."""
    marks = np.full(len(document.text) + 1, UNMARKED, np.int32)
    for tag, ranges in ((THING, document.others), (DOUBTFUL, document.doubtful), (INSIDE, document.spans)):
        for start, end in ranges:
            marks[start:end] = tag
    marks[[start for start, _ in document.spans]] = BEGINS
    return marks


def vocabulary_of(
    real: Sequence[Sample], drawn: Sequence[Sample], featurizer: Featurizer, meanings: WordRows
) -> Vocabulary:
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
                words[fact.surface.lower()] += tag in _OUTSIDE and (natural or "人名" not in fact.pos)
                shapes[shape_of(fact.surface)] += 1
                pos.add(fact.pos)
                seen.add(token)
    chars = Counter(char for token in seen for char in featurizer.facts[token].surface)
    return Vocabulary(
        meanings=meanings,
        words=_numbered((word for word, count in words.items() if count >= 3), 2),
        chars=_numbered((char for char, count in chars.items() if count >= 2), 2),
        pos=_numbered(pos, 1),
        shapes=_numbered((shape for shape, count in shapes.items() if count >= 5), 2),
    )


def _numbered(entries: Any, first: int) -> dict[str, int]:
    return {entry: number for number, entry in enumerate(sorted(entries), first)}


def fact_table(featurizer: Featurizer, vocabulary: Vocabulary) -> Array:
    """Per morpheme the rows of the embedding tables, that of its vector, its flags plus one; row 0 is padding."""
    table = np.zeros((len(featurizer.facts) + 1, len(COLUMNS) + FLAGS_KEPT), np.int32)
    for number, fact in enumerate(featurizer.facts, 1):
        table[number, : len(COLUMNS)] = columns_of(fact, vocabulary)
        for place, flag in enumerate(fact.flags[:FLAGS_KEPT]):
            table[number, len(COLUMNS) + place] = flag + 1
    return table


def real_text(folder: Path, population: Population, chance: random.Random) -> list[Document]:
    """Everything from the corpora and our own whole documents, what has names also with other names."""
    wiki, _ = corpora.wikipedia(folder / "ner-wikipedia" / "ner.json")
    japanese = [*wiki, *corpora.gsd(folder / "gsd" / "train.bio"), *corpora.wikipedia_annotated(folder / "wac")]
    english = corpora.english(folder)
    named = [document for document in japanese if document.spans]
    named += [document for document in english if document.spans for _ in range(2)]
    others = [augment.renamed(document, population, chance) for document in named]
    nameless = corpora.nameless(folder, characters=300_000, seed=4)
    technical = corpora.technical(folder / "react", characters=150_000, seed=9)
    written = list(labelled())
    again = [augment.renamed(document, population, chance) for document in written for _ in range(2)]
    return [*japanese, *english, *others, *nameless, *technical, *written, *written, *again]


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


Epochs = Callable[[int], list[Sample]]


def fit(shape: Shape, read: Epochs, known: Known, vocabulary: Vocabulary, args: argparse.Namespace) -> Params:
    """Trains a network on what `read` gives for each epoch; the parameters as numpy arrays."""
    state = jax_network.begin(jax_network.initial(jax.random.PRNGKey(args.seed), vocabulary, known[1].shape[1], shape))
    step, key = jax_network.stepper(shape), jax.random.PRNGKey(args.seed + 1)
    shuffle = np.random.default_rng(args.seed)
    count = total = 0
    for epoch in range(args.epochs):
        samples, losses = read(epoch), []
        todo = [batch for batch, _ in batches(samples, shuffle.permutation(len(samples)).tolist())]
        total = total or len(todo) * args.epochs
        for batch in todo:
            count += 1
            key, used = jax.random.split(key)
            state, loss = step(state, float(count), rate_at(count, total, args.rate), known, batch, used)
            losses.append(float(loss))
        print(f"width {shape.width}, epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return jax.tree.map(np.asarray, state.mean)  # type: ignore[no-any-return,unused-ignore]


def taught(samples: list[Sample], teachers: Sequence[tuple[Shape, Params]], known: Known) -> list[Sample]:
    """The samples with the mean of what the teachers find likely."""
    means = [np.zeros((len(sample.tags), TAGS), np.float32) for sample in samples]
    for shape, params in teachers:
        chances = jax_network.chances(shape)
        for batch, places in batches(samples, range(len(samples))):
            found = np.asarray(chances(params, known, batch)) / len(teachers)
            for number, start, row, column, length in places:
                means[number][start : start + length] += found[row, column : column + length]
    return [replace(sample, soft=mean.astype(np.float16)) for sample, mean in zip(samples, means, strict=True)]


def frequent_morphemes(samples: list[Sample], featurizer: Featurizer) -> list[tuple[str, int]]:
    """The morphemes that occur most outside names, `FREQUENT` at most."""
    counts: Counter[int] = Counter()
    for sample in samples:
        counts.update((sample.inputs[np.isin(sample.tags, _OUTSIDE), 0] - 1).tolist())
    keys = featurizer.keys()
    return [keys[number] for number, _ in counts.most_common(FREQUENT)]


def main() -> None:
    """Reads the corpora, trains, writes the model file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance = random.Random(args.seed + 6)
    dictionary = sudachipy.Dictionary()
    featurizer = Featurizer(dictionary, NameLists.load())
    real = encode(real_text(args.corpora, Population(chance), chance), featurizer)
    drawn = encode(template_text(chance, dictionary.create(sudachipy.SplitMode.A)), featurizer)
    kept = corpora.wikipedia(args.corpora / "ner-wikipedia" / "ner.json")[1]
    read = [untagged(sample) for sample in encode(unlabelled(args.corpora, kept, args.seed + 5), featurizer)]
    words, meanings = read_vectors(args.corpora / "ja_ginza.whl")
    vocabulary = vocabulary_of(real, drawn, featurizer, words)
    known = fact_table(featurizer, vocabulary), meanings
    params = learn(real, drawn, read, known, vocabulary, args)
    offsets = [list(layer) for layer in PUPIL.offsets]
    frequent = frequent_morphemes([*real, *drawn], featurizer)
    save(args.out, params, np.asarray(jax_network.folded(params, meanings)), vocabulary, offsets, frequent)
    print(f"{args.out.name}: {args.out.stat().st_size} bytes")


def untagged(sample: Sample) -> Sample:
    """A sample of which no tag is known."""
    return replace(sample, tags=np.full_like(sample.tags, DOUBTFUL))


def learn(
    real: list[Sample],
    drawn: list[Sample],
    read: list[Sample],
    known: Known,
    words: Vocabulary,
    args: argparse.Namespace,
) -> Params:
    """Trains the teachers and by them the pupil, whose parameters are returned."""
    teachers = [
        (shape, fit(shape, lambda epoch: real + drawn[epoch % (DRAWS // 2) :: DRAWS // 2], known, words, args))
        for shape in TEACHERS
    ]
    told, heard = taught(real, teachers, known), taught(read, teachers, known)
    return fit(
        PUPIL,
        lambda epoch: told + drawn[epoch % DRAWS :: DRAWS] + heard[epoch % PARTS :: PARTS],
        known, words, args,
    )  # fmt: skip


if __name__ == "__main__":
    main()
