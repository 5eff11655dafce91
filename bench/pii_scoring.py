"""How detection is scored: the definitions behind the README's accuracy table.

Leak recall: a labelled span is found when at least 90 % of its letters and digits are covered by findings of any
type. Precision: a finding is right when at least half of its letters and digits lie in labelled spans of any type,
neutral when that holds with the `ignore` stretches added, otherwise an alarm. A document is covered when all its spans
are found. Only letters and digits count: a bracket or a hyphen is no leak.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

FOUND_SHARE = 0.9
RIGHT_SHARE = 0.5

Interval = tuple[int, int, str]
"""Start, end (code points, exclusive), entity type."""


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled document."""

    id: str
    domain: str
    text: str
    spans: tuple[Interval, ...]
    ignore: tuple[Interval, ...] = ()


@dataclass(slots=True)
class Score:
    """Counts over documents; rates in percent, None where there is nothing to rate."""

    gold: int = 0
    found: int = 0
    right: int = 0
    wrong: int = 0

    @property
    def recall(self) -> float | None:
        """Share of labelled spans that were found."""
        return 100 * self.found / self.gold if self.gold else None

    @property
    def precision(self) -> float | None:
        """Share of findings that were right, neutral ones left out."""
        total = self.right + self.wrong
        return 100 * self.right / total if total else None


@dataclass(slots=True)
class Report:
    """The figures of one run."""

    whole: Score = field(default_factory=Score)
    by_type: dict[str, Score] = field(default_factory=dict)
    by_domain: dict[str, Score] = field(default_factory=dict)
    documents: int = 0
    with_spans: int = 0
    covered: int = 0
    clean: int = 0
    alarmed: int = 0
    misses: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def add(self, case: Case, findings: Sequence[Interval]) -> None:
        """Score one document."""
        self.documents += 1
        predicted = _places(case.text, findings)
        missed = [span for span in case.spans if not self._span(case, span, predicted)]
        wrong = [finding for finding in findings if not self._finding(case, finding)]
        self.misses += [_shown(case, span) for span in missed]
        self.alarms += [_shown(case, finding) for finding in wrong]
        if case.spans:
            self.with_spans += 1
            self.covered += not missed
        else:
            self.clean += 1
            self.alarmed += bool(wrong)

    def _span(self, case: Case, span: Interval, predicted: set[int]) -> bool:
        own = _places(case.text, [span])
        found = len(own & predicted) >= FOUND_SHARE * len(own)
        for score in self._scores(case, span[2]):
            score.gold += 1
            score.found += found
        return found

    def _finding(self, case: Case, finding: Interval) -> bool:
        own = _places(case.text, [finding])
        right = len(own & _places(case.text, case.spans)) >= RIGHT_SHARE * len(own)
        neutral = len(own & _places(case.text, [*case.spans, *case.ignore])) >= RIGHT_SHARE * len(own)
        for score in self._scores(case, finding[2]) if right or not neutral else ():
            score.right += right
            score.wrong += not right
        return right or neutral

    def _scores(self, case: Case, entity: str) -> Iterator[Score]:
        yield self.whole
        yield self.by_type.setdefault(entity, Score())
        yield self.by_domain.setdefault(case.domain, Score())


def _places(text: str, intervals: Iterable[Interval]) -> set[int]:
    """Places of letters and digits; of all characters for an interval that has none."""
    places: set[int] = set()
    for start, end, _ in intervals:
        telling = {place for place in range(start, end) if text[place].isalnum()}
        places |= telling or set(range(start, end))
    return places


def _shown(case: Case, interval: Interval) -> str:
    start, end, entity = interval
    text = f"{case.text[max(0, start - 16) : start]}[[{case.text[start:end]}]]{case.text[end : end + 10]}"
    return f"{case.id} {entity}: {text}".replace("\n", "/")
