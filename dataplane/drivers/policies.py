"""The policies a worker knows, replaced as the feed brings new ones.

An exchange names its policy by name and version. A version the worker does not know yet is usually on its way, so a
stream waits up to `patience` seconds for it; after that the exchange is refused, never passed. A policy this build
cannot compile is left out and reported: its exchanges are refused, those of all others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kagamipb.policy.v1.policy_pb2 import BUDGET_END_ERROR, UNINSPECTED_PASS, PolicySnapshot, RedactionPolicy

from dataplane.exchange.events import PolicyFound
from dataplane.redaction.policy import Bind, Policy, PolicyError

KNOWN_FORMATS = frozenset({0, 1})


class PolicyStore:
    """Policies by (name, version). Used from one event loop."""

    def __init__(
        self,
        hash_key: bytes,
        bind: Bind | None,
        *,
        patience: float = 1.0,
        report: Callable[[str, str], None],
    ) -> None:
        """`report` is told the name of a policy that cannot be used, and why."""
        self._hash_key, self._bind, self._patience, self._report = hash_key, bind, patience, report
        self._policies: dict[tuple[str, str], PolicyFound] = {}
        self._changed = asyncio.Event()
        self.ready = asyncio.Event()
        """Set with the first snapshot."""
        self.revision = ""

    def replace(self, snapshot: PolicySnapshot) -> bool:
        """Take a complete set; False when its format is unknown and the last set stays."""
        if snapshot.format not in KNOWN_FORMATS:
            return False
        known = self._policies
        fresh: dict[tuple[str, str], PolicyFound] = {}
        for proto in snapshot.policies:
            key = (proto.name, proto.version)
            found = known.get(key) or self._compile(proto)
            if found is not None:
                fresh[key] = found
        self._policies, self.revision = fresh, snapshot.revision
        self.ready.set()
        self._changed.set()
        self._changed = asyncio.Event()
        return True

    async def find(self, name: str, version: str) -> PolicyFound:
        """The policy, or PolicyFound(None) when it did not come in time."""
        found = self._policies.get((name, version))
        return found if found is not None else await self._wait(name, version)

    async def _wait(self, name: str, version: str) -> PolicyFound:
        try:
            async with asyncio.timeout(self._patience):
                while (found := self._policies.get((name, version))) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            return PolicyFound(None)

    def _compile(self, proto: RedactionPolicy) -> PolicyFound | None:
        try:
            policy = Policy.compile(proto, self._hash_key, bind=self._bind)
        except PolicyError as error:
            self._report(proto.name, str(error))
            return None
        return PolicyFound(
            policy,
            pass_uninspected=proto.uninspected == UNINSPECTED_PASS,
            cut_with_error=proto.budget_end == BUDGET_END_ERROR,
        )
