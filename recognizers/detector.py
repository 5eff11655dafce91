"""All finders as one: load once, scan many times.

`Detector` folds the text once, asks every finder, applies the thresholds and resolves overlaps. It keeps no state
between scans, so one instance serves all threads and, loaded before fork, all workers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from recognizers.base import Finder
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.overlap import resolve
from recognizers.registry import load_finders

DEFAULT_THRESHOLD = 0.5


class Detector:
    """Finds personal data in a text; immutable, thread-safe."""

    __slots__ = ("_entities", "_finders", "_thresholds")

    def __init__(
        self,
        finders: Sequence[Finder],
        *,
        entities: Collection[str] | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self._finders = tuple(finders)
        self._entities = None if entities is None else frozenset(entities)
        self._thresholds = dict(thresholds or {})

    @classmethod
    def load(
        cls,
        *,
        entities: Collection[str] | None = None,
        thresholds: Mapping[str, float] | None = None,
        extra: Sequence[Finder] = (),
    ) -> Detector:
        """A detector for `entities` (all known ones by default), with every dictionary in memory.

        `thresholds` maps an entity to the least score that counts (default 0.5); `extra` adds finders, for
        instance custom ones. Raises ValueError for an entity that no finder knows.
        """
        return cls((*load_finders(entities), *extra), entities=_wanted(entities, extra), thresholds=thresholds)

    @property
    def entities(self) -> frozenset[str]:
        """Entity types this detector can answer with."""
        known = frozenset[str]().union(*(finder.entities for finder in self._finders))
        return known if self._entities is None else known & self._entities

    def scan(self, text: str) -> list[Finding]:
        """What is personal in `text`: sorted by start, never overlapping, in code points of `text`."""
        folded = FoldedText(text)
        return resolve(self._accepted(folded), text)

    def scan_with_context(self, left: str, text: str, right: str = "") -> list[Finding]:
        """As `scan(left + text + right)`, cut to and relative to `text`."""
        first, last = len(left), len(left) + len(text)
        whole = self.scan(left + text + right)
        return [_shifted(found, first, last) for found in whole if found.start < last and found.end > first]

    def rehearse(self, text: str) -> Iterator[None]:
        """What a scan runs through, given back after every finder; what they find is thrown away."""
        folded = FoldedText(text)
        for finder in self._finders:
            for _ in finder.find(folded):
                pass
            yield

    def _accepted(self, text: FoldedText) -> Iterable[Finding]:
        wanted, thresholds = self._entities, self._thresholds
        for finder in self._finders:
            for found in finder.find(text):
                if found.score >= thresholds.get(found.entity, DEFAULT_THRESHOLD) and (
                    wanted is None or found.entity in wanted
                ):
                    yield found


def _wanted(entities: Collection[str] | None, extra: Sequence[Finder]) -> frozenset[str] | None:
    if entities is None:
        return None
    return frozenset(entities).union(*(finder.entities for finder in extra))


def _shifted(found: Finding, first: int, last: int) -> Finding:
    return found._replace(start=max(found.start, first) - first, end=min(found.end, last) - first)
