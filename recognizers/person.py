"""PERSON: names of people, by a small trained tagger over Sudachi's morphemes and name lists.

Strategy: the text is cut at sentence ends into slices; each slice becomes rows of numbers (`person_features`), a small
network (`person_layers`) gives morphemes a probability of beginning a name or being inside one, and runs of them above
the threshold (`person_tagger`) are findings. Structure that the network cannot see, a column header far above, moves
the threshold (`person_fields`).
Guarantees: pure, linear, no exception for any text; no look beyond the end of the sentence or line to the right, and
inside a sentence about five morphemes (10 to 16 characters of Japanese); to the left about sixteen morphemes, so with
32 characters before it nothing changes but in rare cases, with 64 nothing.
Limits: names cut by a line break are two findings. One lock per finder: scans in threads wait for each other.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import sudachipy

from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.names import NameLists, to_hiragana
from recognizers.person_fields import NAME, OTHER, UNKNOWN, expectation
from recognizers.person_network import Network
from recognizers.person_tagger import Span, Tagger

# Sudachi takes 49,149 bytes at most. Slices this long keep its lattice in cache and the lock short (about 10 ms).
SLICE = 3_000
LEFT = 64
# Least probability of a name: in running text, in a column of names, in a column of something else.
THRESHOLDS = {UNKNOWN: 0.5, NAME: 0.1, OTHER: 0.9}
# … of a single word that no list and no dictionary has as a name, without an honorific.
PLAIN = 0.6
# … of what an honorific follows.
HONOURED = 0.1
# People come in company: how much less is asked of what stands within `REACH` characters after a `SURE` name.
COMPANY = 0.25
SURE, REACH = 0.9, 48
# … of a morpheme to be joined with its neighbours to one name.
JOINED = 0.3
LEAST = min(THRESHOLDS.values())
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
        """Loads dictionary, lists and network (about 0.8 s). Call once, before a fork.

        Raises OSError or ValueError if a data file is missing or broken.
        """
        return cls(Tagger(sudachipy.Dictionary(), NameLists.load(), Network.load()))

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """Findings in the coordinates of the original text."""
        folded = text.folded
        company = -REACH
        for span in self.spans(folded):
            start, end, probability, _ = span
            threshold = self._threshold(text, span, accompanied=start - company < REACH)
            if probability < threshold or nobody(folded, start, end):
                continue
            company = end if probability >= SURE else company
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
    def _threshold(text: FoldedText, span: Span, *, accompanied: bool) -> float:
        expected = expectation(text, span.start)
        if expected != UNKNOWN:
            return THRESHOLDS[expected]
        if not span.plain and _HONOURED.match(text.folded, span.end):
            return HONOURED
        return (PLAIN if span.plain else THRESHOLDS[UNKNOWN]) - COMPANY * accompanied

    def spans(self, folded: str) -> Iterator[Span]:
        """What could be a name in a folded text, in order, down to the least probability that counts anywhere."""
        clean = folded if folded.isascii() else _SURROGATE.sub("\ufffd", folded)
        for start, end in slices(clean):
            offset = max(0, start - LEFT)
            with self._lock:
                found = self._tagger.spans(clean[offset:end], JOINED, LEAST)
            for span in found:
                if span.start + offset >= start:
                    yield span._replace(start=span.start + offset, end=span.end + offset) if offset else span


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
