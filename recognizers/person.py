"""PERSON: names of people, by a small trained tagger over Sudachi's morphemes and name lists.

Strategy: the text is cut at sentence ends into slices; each slice becomes rows of numbers (`person_features`), a small
network (`person_network`) gives every morpheme a probability of beginning a name or being inside one, and runs above
the threshold are findings. Structure that the network cannot see, a column header far above, moves the threshold
(`person_fields`).
Guarantees: pure, linear, no exception for any text; no look beyond the end of the sentence or line to the right, and
inside a sentence about five morphemes (10 to 16 characters of Japanese); to the left about sixteen morphemes, so with
32 characters before it nothing changes but in rare cases, with 64 nothing.
Limits: names cut by a line break are two findings. One lock per finder: scans in threads wait for each other.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import sudachipy

from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.names import NameLists, to_hiragana
from recognizers.person_features import Featurizer, Rows
from recognizers.person_fields import NAME, OTHER, UNKNOWN, expectation
from recognizers.person_network import Floats, Network

# Sudachi takes 49,149 bytes at most. Slices this long keep its lattice in cache and the lock short (about 10 ms).
SLICE = 3_000
LEFT = 64
# Least probability of a name: in running text, in a column of names, in a column of something else.
THRESHOLDS = {UNKNOWN: 0.4, NAME: 0.1, OTHER: 0.9}
# … of a single word that no list and no dictionary has as a name, without an honorific.
PLAIN = 0.8
# Probability of beginning a name from which one that follows another directly is a name of its own.
BEGINS = 0.75
# … of what an honorific follows.
HONOURED = 0.15
# … of a morpheme beside one that is above the threshold: names seldom stop half-way.
JOINS = 0.1
LEAST = min(THRESHOLDS.values())
# Distinct morphemes remembered; about 20 MB of vectors. Full, the memory is begun anew.
MEMORY = 60_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_HONOURED = re.compile(" ?(?:さん|さま|くん|ちゃん|[様氏君殿])")
# One Latin letter (A社 and Bさん) or one kana (a filler, a speaker's sign) tells of nobody; イさん does.
_LETTER = re.compile("[A-Za-z](?:さん|様|氏|くん|君|ちゃん)?|[ぁ-ゖ]")
_KATAKANA = re.compile("[ァ-ヺ]")
# `s.encode(`: a call, not somebody's handle.
_CALL = re.compile(r"[A-Za-z_]*\.[a-z_]+")
# ちゃんと is an adverb to the dictionary: こはる|ちゃんと.
_FUSED = re.compile("(?:ちゃんと?|くん)$")
_BREAKS = ("\n", "。", "！", "？", "!", "?", "、", " ", "\t", ",")


class Span(NamedTuple):
    """A name in folded offsets with its probability; `plain` if only its neighbours speak for it."""

    start: int
    end: int
    score: float
    plain: bool


class Tagger:
    """Text to probabilities; keeps the vectors of the morphemes it met. Not thread-safe."""

    def __init__(self, dictionary: sudachipy.Dictionary, names: NameLists, network: Network) -> None:
        self._dictionary = dictionary
        self.names = names
        self._network = network
        self._forget()

    def _forget(self) -> None:
        self._featurizer = Featurizer(self._dictionary, self.names)
        self._vectors = np.zeros((1024, self._network.width), np.float32)
        self._filled = 0
        self._featurizer.learn(self._network.frequent)
        self._learn()

    def tag(self, text: str) -> tuple[Rows, Floats]:
        """The rows of a text and their probabilities (see `Network.probabilities`)."""
        rows, vectors = self.read(text)
        return rows, self._network.probabilities(vectors, rows)

    def read(self, text: str) -> tuple[Rows, Floats]:
        """The rows of a text and the vector of each."""
        if self._filled > MEMORY:
            self._forget()
        rows = self._featurizer.rows(text)
        self._learn()
        return rows, self._vectors.take(rows.tokens, axis=0)

    def _learn(self) -> None:
        facts = self._featurizer.facts
        if len(facts) > len(self._vectors):
            larger = np.zeros((2 * len(facts), self._network.width), np.float32)
            larger[: self._filled] = self._vectors[: self._filled]
            self._vectors = larger
        if len(facts) > self._filled:
            self._vectors[self._filled : len(facts)] = self._network.vectors(facts[self._filled :])
            self._filled = len(facts)


class PersonFinder:
    """Finds people's names. Thread-safe."""

    entities: frozenset[str] = frozenset({"PERSON"})
    name: str = "person"

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger
        self._given_kana = tagger.names.given_kana
        self._lock = threading.Lock()

    @classmethod
    def load(cls) -> PersonFinder:
        """Loads dictionary, lists and network (about 0.4 s). Call once, before a fork.

        Raises OSError or ValueError if a data file is missing or broken.
        """
        return cls(Tagger(sudachipy.Dictionary(), NameLists.load(), Network.load()))

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """Findings in the coordinates of the original text."""
        folded = text.folded
        for start, end, probability, plain in self.spans(folded):
            threshold = self._threshold(text, start, end, plain=plain)
            if probability < threshold or nobody(folded, start, end):
                continue
            score = scaled(probability, threshold)
            found = text.finding(start, self._bare(folded, start, end), "PERSON", score, self.name)
            # A part of what one character folds to ("…" to three dots) is nothing in the original.
            if found.end > found.start:
                yield found

    def _bare(self, folded: str, start: int, end: int) -> int:
        """The end of a given name without the ちゃん or くん that went with it; a nickname made with one keeps it."""
        fused = _FUSED.search(folded, start, end)
        if fused is None or to_hiragana(folded[start : fused.start()]) not in self._given_kana:
            return end
        return fused.start()

    @staticmethod
    def _threshold(text: FoldedText, start: int, end: int, *, plain: bool) -> float:
        expected = expectation(text, start)
        if expected == UNKNOWN and plain:
            return PLAIN
        if expected == UNKNOWN and _HONOURED.match(text.folded, end):
            return HONOURED
        return THRESHOLDS[expected]

    def spans(self, folded: str) -> Iterator[Span]:
        """What could be a name in a folded text, in order, down to the least probability that counts anywhere."""
        clean = folded if folded.isascii() else _SURROGATE.sub("\ufffd", folded)
        for start, end in slices(clean):
            offset = max(0, start - LEFT)
            with self._lock:
                rows, scores = self._tagger.tag(clean[offset:end])
            for span in runs(rows, scores, THRESHOLDS[UNKNOWN], LEAST):
                if span.start + offset >= start:
                    yield span._replace(start=span.start + offset, end=span.end + offset)


def slices(text: str) -> Iterator[tuple[int, int]]:
    """Ranges of at most `SLICE` characters, cut behind the best break there is in their second half."""
    start = 0
    while len(text) - start > SLICE:
        middle, limit = start + SLICE // 2, start + SLICE
        cut = next((place + 1 for mark in _BREAKS if (place := text.rfind(mark, middle, limit)) >= 0), limit)
        yield start, cut
        start = cut
    if start < len(text):
        yield start, len(text)


def runs(rows: Rows, scores: Floats, threshold: float, least: float) -> Iterator[Span]:
    """Neighbouring morphemes above `threshold`, and runs above `least` that have none above `threshold`.

    A morpheme that surely begins a name starts a new run; a doubtful one is the given name after a family name. Beside
    a sure morpheme `JOINS` is enough.
    """
    chances = 1 - scores[:, 0]
    places = np.flatnonzero(chances >= least)
    # Few morphemes are left: plain numbers are quicker than arrays from here.
    named, begins = chances[places].tolist(), (scores[places, 1] > BEGINS).tolist()
    starts, ends, plain = rows.starts[places].tolist(), rows.ends[places].tolist(), rows.plain[places].tolist()
    follows = [False, *(np.diff(places) == 1).tolist()]
    sure = _sure(named, follows, threshold)
    index = 0
    while index < len(named):
        last = index
        while (
            last + 1 < len(named)
            and follows[last + 1]
            and sure[last + 1] == sure[last]
            and not (begins[last + 1] and named[last] >= threshold)
        ):
            last += 1
        best = max(named[index : last + 1])
        yield Span(starts[index], ends[last], best, index == last and plain[index])
        index = last + 1


def _sure(named: list[float], follows: list[bool], threshold: float) -> list[bool]:
    """Which are above `threshold`, or above `JOINS` and directly beside such a one, in both directions."""
    sure = [chance >= threshold for chance in named]
    for index in range(1, len(named)):
        if follows[index] and sure[index - 1] and named[index] >= JOINS:
            sure[index] = True
    for index in range(len(named) - 1, 0, -1):
        if follows[index] and sure[index] and named[index - 1] >= JOINS:
            sure[index - 1] = True
    return sure


def nobody(folded: str, start: int, end: int) -> bool:
    """Whether what stands there cannot be a name whatever its neighbours: a lone letter or kana, a call in code."""
    if _LETTER.fullmatch(folded, start, end):
        return True
    if _KATAKANA.fullmatch(folded, start, end):
        return _HONOURED.match(folded, end) is None
    return folded.startswith("(", end) and _CALL.fullmatch(folded, start, end) is not None


def scaled(probability: float, threshold: float) -> float:
    """Probability to score: `threshold` becomes 0.5, certainty 1."""
    return round(0.5 + 0.5 * (probability - threshold) / (1 - threshold), 3)
