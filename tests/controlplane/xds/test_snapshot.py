from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.xds.packing import CLUSTER, LISTENER, Resource
from controlplane.xds.resources import Resources
from controlplane.xds.snapshot import inconsistencies, version

ITEMS = st.dictionaries(st.text(max_size=4), st.binary(max_size=4), max_size=5)


def held(items):
    return {name: Resource(CLUSTER, name, value) for name, value in items.items()}


@given(ITEMS)
def test_a_version_depends_on_content_not_on_order(items):
    backwards = dict(reversed(items.items()))
    assert version(held(items)) == version(held(backwards))


@given(ITEMS, ITEMS)
def test_different_content_has_different_versions(one, other):
    assert (version(held(one)) == version(held(other))) is (one == other)


def test_names_and_values_cannot_be_shifted_into_each_other():
    assert version(held({"a": b"1:b"})) != version(held({"a1": b":b"}))


def test_a_resource_whose_need_is_missing_is_reported_by_name():
    hop = Resource(CLUSTER, "hop_a", b"", frozenset({(LISTENER, "hop_a")}))
    assert inconsistencies(Resources("r", {CLUSTER: {"hop_a": hop}})) == ("Cluster hop_a needs Listener hop_a",)
    listener = Resource(LISTENER, "hop_a", b"")
    assert inconsistencies(Resources("r", {CLUSTER: {"hop_a": hop}, LISTENER: {"hop_a": listener}})) == ()
