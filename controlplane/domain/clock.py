"""How far this replica's clock is from the database's, which says what time it is for every quota. Pure.

Replicas whose clocks differ would else spend the end of one window and the beginning of the next at the same time. A
reading is as wrong as half its round trip at most, so that quick ones are kept; one that contradicts what was kept
(the clock was set) replaces it. Times are Unix seconds.
"""

from __future__ import annotations

DRIFT = 1e-3
"""Seconds a second by which a reading loses its worth: any clock drifts less, and slow readings get their turn."""


class Offset:
    """Add `seconds` to this replica's clock to get the database's."""

    __slots__ = ("_at", "_error", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self._error, self._at = float("inf"), 0.0

    def observe(self, asked: float, told: float, heard: float) -> None:
        """The database said it is `told`, between `asked` and `heard` by this replica's clock."""
        error, seconds = abs(heard - asked) / 2, told - (asked + heard) / 2
        worth = self._error + DRIFT * abs(heard - self._at)
        if error <= worth or abs(seconds - self.seconds) > error + worth:
            self.seconds, self._error, self._at = seconds, error, heard
