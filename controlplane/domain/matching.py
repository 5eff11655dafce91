"""Which quotas a request must fit, found without looking at those of other keys and users. Pure.

One index per tenant: quotas narrowed to a key or to a user are found by it, the few others are looked
through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kagamipb.admin.v1.admin_pb2 import Unit

from controlplane.domain.ports import Demand
from controlplane.domain.snapshot import Quota


class QuotaIndex:
    """The quotas of one tenant."""

    __slots__ = ("_by_key", "_by_user", "_others")

    def __init__(self, quotas: Iterable[Quota]) -> None:
        self._by_key: dict[str, list[Quota]] = {}
        self._by_user: dict[str, list[Quota]] = {}
        self._others: list[Quota] = []
        for quota in quotas:
            if quota.key:
                self._by_key.setdefault(quota.key, []).append(quota)
            elif quota.user:
                self._by_user.setdefault(quota.user, []).append(quota)
            else:
                self._others.append(quota)

    def matching(self, demand: Demand) -> list[Quota]:
        """Every quota the demand falls under, in a stable order."""
        found = [quota for quota in self._others if _covers(quota, demand)]
        for key in {demand.key_id, demand.key} - {""}:
            found += (quota for quota in self._by_key.get(key, ()) if _covers(quota, demand))
        if demand.user:
            found += (quota for quota in self._by_user.get(demand.user, ()) if _covers(quota, demand))
        return found


class Matches(NamedTuple):
    """Matching quotas and their units, side by side."""

    quotas: list[Quota]
    units: list[Unit]


class QuotaBook:
    """The indexes of every tenant, made when first asked for and dropped with the configuration they were
    made from.
    """

    __slots__ = ("_indexes", "_source")

    def __init__(self) -> None:
        self._source: Mapping[str, tuple[Quota, ...]] = {}
        self._indexes: dict[str, QuotaIndex] = {}

    def matching(self, quotas: Mapping[str, tuple[Quota, ...]], demand: Demand) -> Matches:
        """The quotas in force (by tenant) that the demand falls under."""
        if quotas is not self._source:
            self._source, self._indexes = quotas, {}
        index = self._indexes.get(demand.tenant)
        if index is None:
            index = self._indexes[demand.tenant] = QuotaIndex(quotas.get(demand.tenant, ()))
        found = index.matching(demand)
        return Matches(found, [quota.unit for quota in found])


def _covers(quota: Quota, demand: Demand) -> bool:
    return (
        (not quota.model or quota.model == demand.model)
        and (not quota.provider or quota.provider in demand.providers)
        and (not quota.user or quota.user == demand.user)
        and (not quota.team or quota.team == demand.team)
    )
