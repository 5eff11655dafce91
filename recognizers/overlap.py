"""Overlap resolution: many candidate findings in, a sorted list without overlaps out.

Rule, in order: a container (address, mailbox, URL with credentials, key) beats what lies wholly inside it; then the
higher score, then the longer, then the more specific entity wins. A loser keeps what the winners left over, when
that still holds a letter or a digit: personal data is never uncovered because two detectors disagree on edges.

O(n log n) in the number of candidates.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from recognizers.finding import Finding

_CONTAINERS = frozenset({"ADDRESS", "EMAIL_ADDRESS", "URL_CREDENTIALS", "API_KEY"})
_SPECIFIC = (
    "URL_CREDENTIALS", "API_KEY", "EMAIL_ADDRESS", "CREDIT_CARD", "MY_NUMBER", "DRIVERS_LICENSE", "RESIDENCE_CARD",
    "PASSPORT", "PENSION_NUMBER", "HEALTH_INSURANCE", "BANK_ACCOUNT", "DATE_OF_BIRTH", "ADDRESS", "POSTAL_CODE",
    "PHONE_NUMBER", "PERSON", "IP_ADDRESS",
)  # fmt: skip
_RANK = {entity: rank for rank, entity in enumerate(_SPECIFIC)}


def resolve(candidates: Iterable[Finding], text: str) -> list[Finding]:
    """`candidates` without overlaps, sorted by start; offsets are those of `text`."""
    ordered = sorted(set(candidates), key=_precedence)
    chosen: list[Finding] = []
    for candidate in ordered:
        for rest in list(_uncovered(candidate, chosen)):
            if rest is candidate or _worth_keeping(rest, text):
                insort(chosen, rest)
    return chosen


def _precedence(found: Finding) -> tuple[float, int, int, int, str]:
    length = found.end - found.start
    bonus = 0.3 if found.entity in _CONTAINERS else 0.0
    return (-(found.score + bonus), -length, _RANK.get(found.entity, len(_RANK)), found.start, found.recognizer)


def _uncovered(candidate: Finding, chosen: list[Finding]) -> Iterator[Finding]:
    """The parts of `candidate` that no chosen finding covers; itself when none touches it."""
    start = candidate.start
    index = max(0, bisect_left(chosen, (start,)) - 1)
    while index < len(chosen) and chosen[index].start < candidate.end:
        other = chosen[index]
        index += 1
        if other.end <= start:
            continue
        if other.start > start:
            yield candidate._replace(start=start, end=other.start)
        start = other.end
    if start == candidate.start:
        yield candidate
    elif start < candidate.end:
        yield candidate._replace(start=start)


def _worth_keeping(rest: Finding, text: str) -> bool:
    return any(map(str.isalnum, text[rest.start : rest.end]))
