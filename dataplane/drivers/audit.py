"""The worker's journal with the attempts that are still open, and whether it takes entries.

What a dead worker left open its successor must find, so the journal keeps every segment from the oldest open attempt
on, shipped or not. A worker whose journal takes nothing refuses quickly, and so has fewest requests under way: it must
not be sent more than the others for that.
"""

from __future__ import annotations

from collections.abc import Callable

from kagamichain.journal import Journal, Position

AVOIDED_SECONDS = 5.0
"""How long a worker whose journal refused an entry is `troubled`: then requests show whether it still does."""


class AuditLog:
    """A journal that knows which of its entries open something."""

    def __init__(self, journal: Journal, monotonic: Callable[[], float]) -> None:
        """`monotonic`: seconds."""
        self._journal, self._monotonic = journal, monotonic
        self._open: dict[int, None] = {}
        self._refused_at = float("-inf")

    @property
    def troubled(self) -> bool:
        """Whether entries were refused of late."""
        return self._monotonic() - self._refused_at < AVOIDED_SECONDS

    def append(self, entry: bytes) -> Position:
        """See Journal.append."""
        try:
            return self._journal.append(entry)
        except Exception:
            self._refused_at = self._monotonic()
            raise

    async def durable(self, seq: int, *, here: bool = False) -> None:
        """See Journal.durable."""
        await self._journal.durable(seq, here=here)

    def hold(self, seq: int) -> None:
        """Keep this entry and all after it."""
        self._open[seq] = None
        if len(self._open) == 1:
            self._journal.keep_from(seq)

    def release(self, seq: int) -> None:
        """The attempt has ended. Entries were held in ascending order, so the first left is the oldest."""
        self._open.pop(seq, None)
        self._journal.keep_from(next(iter(self._open), None))
