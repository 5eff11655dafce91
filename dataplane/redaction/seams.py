"""Values cut in two by the parts of a message: `電話は090-` in one part, `1234-5678` in the next.

Every text is scanned for itself as always. Besides, the surroundings of each seam between adjacent parts are scanned
as if the parts were one text, and a finding that lies across a seam counts in each part for the piece that lies there:
the structure of the message stays as it is. Pure; reads `REACH` characters on both sides of a seam, at most `WINDOW` at
once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import accumulate

from dataplane.redaction.spans import Span

REACH = 64
WINDOW = 1_000

Known = dict[int, list[Span]]
"""Findings per text, by index; offsets are those of the text."""


def across(
    texts: Sequence[str], follows: Mapping[int, int], scan: Callable[[str], Sequence[Span]]
) -> Generator[None, None, Known]:
    """Findings that lie across seams; `follows` maps a text to the one it goes on, in order. Pauses after each scan."""
    known: Known = {}
    for run in _runs(follows):
        parts = [texts[index] for index in run]
        joined = "".join(parts)
        starts = [0, *accumulate(map(len, parts))]
        done = 0
        for first, last, seams in _windows(starts[1:-1], len(joined)):
            for found in scan(joined[first:last]):
                span = found._replace(start=found.start + first, end=found.end + first)
                if span.start >= done and _crosses(span, seams):
                    done = span.end
                    for part, piece in _pieces(span, starts):
                        # A hyphen or a blank alone is nobody's.
                        if any(map(str.isalnum, parts[part][piece.start : piece.end])):
                            known.setdefault(run[part], []).append(piece)
            yield
    return known


def _runs(follows: Mapping[int, int]) -> Iterator[list[int]]:
    """Texts that follow each other, in order."""
    run: list[int] = []
    for index, before in follows.items():
        if run and before == run[-1]:
            run.append(index)
            continue
        if run:
            yield run
        run = [before, index]
    if run:
        yield run


def _windows(seams: Sequence[int], size: int) -> Iterator[tuple[int, int, Sequence[int]]]:
    """Ranges around seams, those that touch in one, and the seams of each."""
    index = 0
    while index < len(seams):
        first = max(0, seams[index] - REACH)
        last = index
        while (
            last + 1 < len(seams)
            and seams[last + 1] - seams[last] <= 2 * REACH
            and seams[last + 1] + REACH - first <= WINDOW
        ):
            last += 1
        yield first, min(size, seams[last] + REACH), seams[index : last + 1]
        index = last + 1


def _crosses(span: Span, seams: Sequence[int]) -> bool:
    place = bisect_right(seams, span.start)
    return place < len(seams) and seams[place] < span.end


def _pieces(span: Span, starts: Sequence[int]) -> Iterator[tuple[int, Span]]:
    """The pieces of a span in the parts that begin at `starts`, each in offsets of its part."""
    part = bisect_right(starts, span.start) - 1
    while starts[part] < span.end:
        first, last = max(span.start, starts[part]), min(span.end, starts[part + 1])
        yield part, span._replace(start=first - starts[part], end=last - starts[part])
        part += 1
