"""The worker's journal with the attempts that are still open.

What a dead worker left open its successor must find, so the journal keeps every segment from the oldest open attempt
on, shipped or not.
"""

from __future__ import annotations

from kagamichain.journal import Journal, Position


class AuditLog:
    """A journal that knows which of its entries open something."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._open: dict[int, None] = {}

    def append(self, entry: bytes) -> Position:
        """See Journal.append."""
        return self._journal.append(entry)

    async def durable(self, seq: int) -> None:
        """See Journal.durable."""
        await self._journal.durable(seq)

    def hold(self, seq: int) -> None:
        """Keep this entry and all after it."""
        self._open[seq] = None
        if len(self._open) == 1:
            self._journal.keep_from(seq)

    def release(self, seq: int) -> None:
        """The attempt has ended. Entries were held in ascending order, so the first left is the oldest."""
        self._open.pop(seq, None)
        self._journal.keep_from(next(iter(self._open), None))
