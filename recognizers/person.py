"""PERSON: names of people, by a small trained tagger over Sudachi's morphemes and name lists.

Strategy: the text is cut at sentence ends into slices; each slice becomes rows of numbers (`person_features`), a small
network (`person_layers`) gives morphemes a probability of beginning a name or being inside one, and runs of them above
the threshold (`person_tagger`) are findings. What the network cannot see moves the threshold: a column header far above
(`person_fields`), a sure name a little before.
Guarantees: pure, linear, no exception for any text; no look beyond the end of the sentence or line to the right, and
inside a sentence about five morphemes (10 to 16 characters of Japanese), 24 in a list of prefectures; to the left about
sixteen morphemes and, for what stands in company, 32 characters and sixteen morphemes more: with 32 characters before it
little changes, with 96 nothing.
Limits: names cut by a line break are two findings. One lock per finder: scans in threads wait for each other.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import sudachipy

from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.names import NameLists
from recognizers.person_edges import end_of
from recognizers.person_fields import NAME, OTHER, UNKNOWN, expectation
from recognizers.person_network import Network
from recognizers.person_tagger import Span, Tagger
from recognizers.speakers import speakers, unnamed

# Sudachi takes 49,149 bytes at most. Slices this long keep its lattice in cache and the lock short (about 10 ms).
SLICE = 3_000
LEFT = 64
# Least probability of a name: in running text, in a column of names, in a column of something else.
THRESHOLDS = {UNKNOWN: 0.2, NAME: 0.05, OTHER: 0.9}
# … of a single word that no list and no dictionary has as a name, without an honorific.
PLAIN = 0.25
# … of what an honorific follows.
HONOURED = 0.05
# People come in company: how much less is asked of what stands within `REACH` characters after a `SURE` name.
COMPANY = 0.15
SURE, REACH = 0.7, 32
# The score of who speaks in a conversation with people.
SPEAKER = 0.7
# … of a morpheme to be joined with its neighbours to one name.
JOINED = 0.15
LEAST = min(THRESHOLDS.values())
_SURROGATE = re.compile("[\ud800-\udfff]")
_HONOURED = re.compile(" ?(?:さん|さま|くん|ちゃん|[様氏君殿])")
# One Latin letter (A社 and Bさん) or one kana (a filler, a speaker's sign) tells of nobody; イさん does.
_LETTER = re.compile("[A-Za-z](?:さん|様|氏|くん|君|ちゃん)?|[ぁ-ゖ]")
_KATAKANA, _KATAKANA_END = re.compile("[ァ-ヺ]"), re.compile("[ァ-ヺー・]")
# `s.encode(`: a call, not somebody's handle.
_CALL = re.compile(r"[A-Za-z_]*\.[a-z_]+")
# 十月 is a month, 三つ a number: no name unless somebody is addressed so.
_COUNT = re.compile("[一二三四五六七八九十]{1,3} ?[月つ]")
# アルツハイマー|病, クロイツフェルト|・ヤコブ病: what bears somebody's name.
_BEARER = re.compile("[ァ-ヺー・=]{0,20}(?:病(?![気院室欠状歴棟人床休死弱没])|症候群|の?法則|の?定理|方程式)")
# Three prefectures in a row, each of which could be a family name too, are three prefectures.
_PREFECTURE = (
    "(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|東京|神奈川|新潟|富山|石川|福井|山梨|長野|岐阜|静岡|愛知|三重|滋賀|京都|大阪|兵庫|"
    "奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄)[都府県]?"
)
_PREFECTURES = re.compile(f"{_PREFECTURE}(?:[、,・/と] ?{_PREFECTURE}){{2,9}}")
_LISTED = 24
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
        names = list(self._names(text))
        if talk := speakers(text.folded):
            names += [(start, end, SPEAKER) for start, end in unnamed(talk, [name[:2] for name in names])]
        for start, end, score in names:
            found = text.finding(start, end, "PERSON", score, self.name)
            # A part of what one character folds to ("…" to three dots) is nothing in the original.
            if found.end > found.start:
                yield found

    def _names(self, text: FoldedText) -> Iterator[tuple[int, int, float]]:
        """Ranges in folded offsets, ascending, and scores."""
        folded = text.folded
        company = -REACH
        for span in self.spans(folded):
            start, end, probability, _ = span
            honoured = _HONOURED.match(folded, end) is not None
            expected = OTHER if listed_place(folded, start, end) else expectation(text, start)
            threshold = least(expected, plain=span.plain, honoured=honoured, accompanied=start - company < REACH)
            if probability < threshold or nobody(folded, start, end):
                continue
            company = end if probability >= SURE else company
            yield start, end_of(folded, start, end, self._given_kana), scaled(probability, threshold)

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


def least(expected: int, *, plain: bool, honoured: bool, accompanied: bool) -> float:
    """The least probability of a name: what its column is for, what it is like, what follows and what came before it."""
    if expected != UNKNOWN:
        return THRESHOLDS[expected]
    if honoured and not plain:
        return HONOURED
    return (PLAIN if plain else THRESHOLDS[UNKNOWN]) - COMPANY * accompanied


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
    """Whether what stands there cannot be a name: a lone letter or kana, a month, a call in code, a disease's name."""
    if _LETTER.fullmatch(folded, start, end):
        return True
    if _KATAKANA.fullmatch(folded, start, end) or _COUNT.fullmatch(folded, start, end):
        return _HONOURED.match(folded, end) is None
    if _KATAKANA_END.match(folded, end - 1) and _BEARER.match(folded, end):
        return True
    return folded.startswith("(", end) and _CALL.fullmatch(folded, start, end) is not None


def listed_place(folded: str, start: int, end: int) -> bool:
    """Whether it is one of at least three prefectures in a row."""
    if not 2 <= end - start <= 3:
        return False
    first = max(0, start - _LISTED)
    found = _PREFECTURES.finditer(folded, first, end + _LISTED)
    return any(match.start() <= start and end <= match.end() for match in found)


def scaled(probability: float, threshold: float) -> float:
    """Probability to score: `threshold` becomes 0.5, certainty 1."""
    return round(0.5 + 0.5 * (probability - threshold) / (1 - threshold), 3)
