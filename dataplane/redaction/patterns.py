"""A tenant's allow-list and deny-list of patterns: a safe subset of regular expressions (`recognizers.bounded`).

Both read the folded text (`recognizers.folded`), in any letter case, so that full-width forms, dash variants and
characters without width hide nothing. A match is at most 64 characters long and costs a bounded number of steps from
each start. A stream must not let go the beginning of a match whose end is still to come: `opened` says where one may
have begun, and never further back than the longest match.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataplane.redaction.spans import Span
from dataplane.redaction.terms import DENIED_TERM
from recognizers.bounded import MAX_LISTED_WIDTH, Listed, PatternError, compile_listed
from recognizers.folded import FoldedText

__all__ = ["MAX_PATTERNS", "PatternError", "Patterns", "widest"]

MAX_PATTERNS = 50
"""Each one reads every text."""
_SPARE = 5


def widest(hold_chars: int) -> int:
    """Most characters a match may have where a stream holds back so many: it must fit, and leave room to go on."""
    return min(MAX_LISTED_WIDTH, hold_chars * 3 // 4)


class Patterns:
    """Compiled patterns of one list. Immutable. Raises PatternError for one that is not safe."""

    __slots__ = ("_listed", "_reach")

    def __init__(self, patterns: Sequence[str], *, most: int = MAX_LISTED_WIDTH) -> None:
        self._listed: tuple[Listed, ...] = tuple(compile_listed(pattern, most=most) for pattern in patterns)
        self._reach = max((listed.width for listed in self._listed), default=0)

    def __bool__(self) -> bool:
        return bool(self._listed)

    def find(self, text: str) -> list[Span]:
        """Every match, sorted; those that overlap are one."""
        if not self._listed:
            return []
        folded = FoldedText(text)
        hits = sorted(hit.span() for one in self._listed for hit in one.pattern.finditer(folded.folded))
        merged: list[tuple[int, int]] = []
        for start, end in hits:
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        spans = (folded.span(*hit) for hit in merged)
        return [Span(start, end, DENIED_TERM, 1.0, "deny_patterns") for start, end in spans if start < end]

    def opened(self, text: str) -> int | None:
        """Where in `text` a match may have begun that its end cuts off; None when there is nothing of the kind."""
        if not self._listed:
            return None
        # The longest match, with some characters without width in it.
        begin = max(0, len(text) - _SPARE * self._reach)
        folded = FoldedText(text[begin:])
        size = len(folded.folded)
        first = max(0, size - self._reach)
        starts = [hit.start() for one in self._listed if (hit := one.opening.search(folded.folded, first)) is not None]
        start = min(starts, default=size)
        return begin + folded.span(start, size)[0] if start < size else None

    def covers(self, value: str) -> bool:
        """Whether one pattern matches the whole of `value`."""
        folded = FoldedText(value).folded if self._listed else ""
        return any(one.pattern.fullmatch(folded) is not None for one in self._listed)
