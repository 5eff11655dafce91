from __future__ import annotations

from envoy_data_plane.envoy.config.cluster.v3 import Cluster

from controlplane.xds.packing import CLUSTER, LISTENER, Resource, priority_groups, resource


def test_the_priority_group_specifier_has_envoys_field_numbers():
    packed = priority_groups("none", "ns").typed_config
    assert packed.type_url.endswith(
        "envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier"
    )
    # 1: group{1: "none", 2: cluster{1: "none", 2: UInt32Value{1: 1}}}; 2: "ns"
    assert packed.value == bytes.fromhex("0a120a046e6f6e65120a0a046e6f6e6512020801" + "12026e73")


def test_a_resource_carries_its_name_its_bytes_and_what_it_needs():
    made = resource(CLUSTER, Cluster(name="c"), (LISTENER, "l"))
    assert (made.type_url, made.name, made.value, made.needs) == (CLUSTER, "c", b"\x0a\x01c", {(LISTENER, "l")})


def test_a_secrets_value_is_not_shown():
    assert "hunter2" not in repr(Resource("t", "n", b"hunter2"))
