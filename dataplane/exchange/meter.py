"""A stream's output against what its reservation pays for. Pure.

Strategy: after every event the output so far is noted, as the provider counts it if it does on the way, else as
estimated from the text. More is asked for when an eighth of what is paid for is left, so that the answer is there
before it is needed; a provider that is held to what is paid for (by our clamp or the client's own limit) is not
expected to need more, and none is asked for until it does. A refusal is not the end: the rest that is paid for still
flows, and others may free room, so it is asked again when half of the rest is gone and once more when nothing is left.
Guarantees: of what is not paid for, the client gets no more than the event with which it was found out.
"""

from __future__ import annotations

LEAST_ASKED, MOST_ASKED = 64, 1024
"""Tokens asked for at once: as many as were paid for so far, between these."""
LEAST_LEAD = 16
"""More is asked for at the latest when so many tokens are left."""
_LEAD = 8


class Meter:
    """`paid`: output tokens that are held, 0 = no quota counts them; `limit`: the most the provider was asked for,
    0 = no limit.
    """

    __slots__ = ("_again", "_limit", "_refused_over", "asking", "paid", "spent")

    def __init__(self, paid: int, limit: int) -> None:
        self.paid, self._limit = paid, limit
        self.spent = 0
        self.asking = False
        """A question is out."""
        self._again: int | None = None
        self._refused_over = False

    def note(self, spent: int) -> None:
        """So many tokens by now."""
        self.spent = max(self.spent, spent)

    @property
    def over(self) -> bool:
        """Whether more has come than is paid for."""
        return 0 < self.paid < self.spent

    def wanted(self) -> int:
        """Tokens to ask for now; 0 = none."""
        left = self.paid - self.spent
        if not self.paid or self.asking or self._refused_over or left >= self._lead():
            return 0
        most = self._limit - self.paid if self.paid < self._limit else MOST_ASKED
        return min(max(self.paid, LEAST_ASKED), MOST_ASKED, most)

    def _lead(self) -> int:
        if self._again is not None:
            return self._again
        return 0 if 0 < self._limit <= self.paid else max(LEAST_LEAD, self.paid // _LEAD)

    def asked(self) -> None:
        """The question is out."""
        self.asking = True

    def answered(self, tokens: int) -> None:
        """So many more are paid for; 0 = refused."""
        self.asking = False
        self.paid += tokens
        self._again = None
        if not tokens:
            self._refused_over = self.over
            self._again = max(0, self.paid - self.spent) // 2
