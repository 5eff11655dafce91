"""Which policy versions a data plane must know: the current ones, and lately superseded ones. Pure.

A request decided just before a change names the old version; it must find it for as long as such a request
can be under way. Memory is bounded: of superseded versions only the newest are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kagamipb.policy.v1.policy_pb2 import PolicySnapshot, RedactionPolicy

FORMAT: Final = 1
KEPT_SECONDS: Final = 600.0
MAX_SUPERSEDED: Final = 1000


class History:
    """Remembers what was current; times are seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._current: Mapping[str, RedactionPolicy] = {}
        self._revision = ""
        self._superseded: dict[tuple[str, str], tuple[RedactionPolicy, float]] = {}

    def observe(self, policies: Mapping[str, RedactionPolicy], revision: str, now: float) -> bool:
        """Takes note of the newest policies; False when no policy changed since."""
        if policies is self._current:
            return False
        for policy in self._current.values():
            self._superseded[policy.name, policy.version] = (policy, now)
        for policy in policies.values():
            self._superseded.pop((policy.name, policy.version), None)
        self._current, self._revision = policies, revision
        return True

    def snapshot(self, now: float) -> PolicySnapshot:
        """Everything a data plane must know now."""
        self._forget(now)
        old = [policy for policy, _ in self._superseded.values()]
        return PolicySnapshot(format=FORMAT, revision=self._revision, policies=[*self._current.values(), *old])

    def _forget(self, now: float) -> None:
        kept = sorted(self._superseded.items(), key=lambda item: item[1][1])[-MAX_SUPERSEDED:]
        self._superseded = {key: entry for key, entry in kept if now - entry[1] < KEPT_SECONDS}
