"""What a detector answers: spans of personal data in code points of the text that was scanned.

`Span` has the field order of `recognizers.finding.Finding`, so a detector's findings are spans as they are; this
package imports no detector. A `Scan` is pure, never raises for any str, and answers sorted spans that never overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

RESTORE = "kagami.placeholder"
"""Recognizer name of spans that are an exchange's own placeholders, or a beginning of one: nothing personal."""


class Span(NamedTuple):
    """One stretch of personal data: [start, end) in code points, `score` in 0..1."""

    start: int
    end: int
    entity: str
    score: float
    recognizer: str


Scan = Callable[[str], Sequence[Span]]


def override(strong: Sequence[Span], weak: Iterable[Span]) -> list[Span]:
    """Both, sorted, without overlaps: `weak` spans keep only what no `strong` span covers."""
    if not strong:
        return list(weak)
    kept = list(strong)
    for span in weak:
        kept.extend(_uncovered(span, strong))
    kept.sort()
    return kept


def _uncovered(span: Span, strong: Sequence[Span]) -> Iterator[Span]:
    start = span.start
    for other in strong:
        if other.end <= start:
            continue
        if other.start >= span.end:
            break
        if other.start > start:
            yield span._replace(start=start, end=other.start)
        start = other.end
    if start < span.end:
        yield span._replace(start=start)
