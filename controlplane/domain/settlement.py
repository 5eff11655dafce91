"""What settling requests changes in quota accounts, added up so that a batch touches each account once.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.domain.reservation import WindowKey


@dataclass(slots=True)
class Settlement:
    """Sums of one transaction."""

    settled: dict[WindowKey, int] = field(default_factory=dict)
    """Actual use to add to each window."""
    released: dict[tuple[WindowKey, str], int] = field(default_factory=dict)
    """Holds that leave an owner's lease on a window."""

    def charge(self, key: WindowKey, more: int) -> None:
        """Use that was not charged yet; negative when a better figure is lower."""
        if more:
            self.settled[key] = self.settled.get(key, 0) + more

    def release(self, key: WindowKey, owner: str, held: int) -> None:
        """A hold that is over."""
        if held:
            self.released[key, owner] = self.released.get((key, owner), 0) + held

    def windows(self) -> list[WindowKey]:
        """Every window touched, in the order all transactions lock them."""
        return sorted({*self.settled, *(key for key, _ in self.released)})
