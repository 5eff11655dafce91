from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kagamipb.admin.v1.admin_pb2 import UNIT_REQUESTS, WINDOW_LIFETIME

from controlplane.domain.matching import QuotaBook
from controlplane.domain.ports import Demand
from controlplane.domain.snapshot import Quota

some = st.sampled_from(["", "a", "b"])
quotas = st.builds(
    lambda key, model, user, provider, team: Quota(
        "id", "name", "acme", UNIT_REQUESTS, WINDOW_LIFETIME, 1, key, model, user, provider, team
    ),
    some, some, some, some, some,
)  # fmt: skip
demands = st.builds(
    lambda key_id, key, user, model, providers, team: Demand("r", "acme", key_id, user, model, providers, 0, 0, 0, key=key, team=team),
    some, some, some, some, st.lists(st.sampled_from(["a", "b"])).map(tuple), some,
)  # fmt: skip


def covers(quota: Quota, one: Demand) -> bool:
    return (
        quota.key in ("", one.key, one.key_id)
        and quota.model in ("", one.model)
        and quota.user in ("", one.user)
        and (not quota.provider or quota.provider in one.providers)
        and quota.team in ("", one.team)
    )


@given(st.lists(quotas, max_size=12), demands)
def test_the_index_finds_exactly_the_quotas_that_cover_the_demand(all_: list[Quota], one: Demand) -> None:
    found = QuotaBook().matching({"acme": tuple(all_)}, one)
    wanted = [quota for quota in all_ if covers(quota, one)]
    assert sorted(map(id, found.quotas)) == sorted(map(id, wanted))
    assert found.units == [quota.unit for quota in found.quotas]


def test_a_new_configuration_counts_at_once() -> None:
    book, one = QuotaBook(), Demand("r", "acme", "k", "", "m", (), 0, 0, 0)
    quota = Quota("id", "name", "acme", UNIT_REQUESTS, WINDOW_LIFETIME, 1)
    assert book.matching({}, one).quotas == []
    assert book.matching({"acme": (quota,)}, one).quotas == [quota]
    assert book.matching({"other": (quota,)}, one).quotas == []
