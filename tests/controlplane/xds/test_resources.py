from __future__ import annotations

from dataclasses import replace

import pytest
import trustme
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from kagamipb.exchange.v1.exchange_pb2 import Dialect

from controlplane.domain.snapshot import Provider, Snapshot
from controlplane.xds.gateway import Endpoint, GatewaySettings, endpoints
from controlplane.xds.packing import CLUSTER, LISTENER, ROUTE, SECRET
from controlplane.xds.resources import authorities, build, credentials
from controlplane.xds.snapshot import inconsistencies, version

GATEWAY = GatewaySettings(Endpoint("0.0.0.0", 8080), endpoints("unix:/cp"), endpoints("unix:/dp0,unix:/dp1"))
PROVIDER = Provider("main", Dialect.DIALECT_OPENAI_CHAT, tls=True, host="api.example.test", port=443, base_path="/v1")


def made(*providers, secrets=None, gateway=GATEWAY):
    return build(Snapshot("r", providers={p.name: p for p in providers}), gateway, secrets or {})


def cluster(resources, name):
    return cluster_pb2.Cluster.FromString(resources.of(CLUSTER)[name].value)


def test_without_providers_there_is_the_gateway_and_our_own_services():
    resources = made()
    assert set(resources.of(CLUSTER)) == {"kagami_authz", "kagami_dataplane", "kagami_no_chain"}
    assert set(resources.of(LISTENER)) == {"gateway"}
    assert set(resources.of(ROUTE)) == {"gateway"}
    assert resources.of(SECRET) == {}
    assert inconsistencies(resources) == ()


def test_every_provider_adds_a_hop_a_cluster_and_its_secret():
    resources = made(replace(PROVIDER, key_ref="env:K"), secrets={"env:K": b"hunter2"})
    assert {"hop_main", "provider_main"} < set(resources.of(CLUSTER))
    assert "hop_main" in resources.of(LISTENER)
    assert b"hunter2" in resources.of(SECRET)["key_main"].value
    others = [item.value for kind in (CLUSTER, LISTENER, ROUTE) for item in resources.of(kind).values()]
    assert not any(b"hunter2" in value for value in others)
    assert inconsistencies(resources) == ()


def test_replicas_with_equal_content_serve_equal_versions_whatever_the_order():
    other = replace(PROVIDER, name="other")
    one, two = made(PROVIDER, other), made(other, PROVIDER)
    for kind in (CLUSTER, LISTENER, ROUTE, SECRET):
        assert version(one.of(kind)) == version(two.of(kind))


def test_adding_a_provider_leaves_the_outer_listener_untouched():
    assert made().of(LISTENER)["gateway"].value == made(PROVIDER).of(LISTENER)["gateway"].value


def test_authz_is_told_which_providers_are_live():
    routes = route_pb2.RouteConfiguration.FromString(
        made(PROVIDER, replace(PROVIDER, name="b")).of(ROUTE)["gateway"].value
    )
    check = ext_authz_pb2.ExtAuthzPerRoute()
    routes.virtual_hosts[0].routes[0].typed_per_filter_config["envoy.filters.http.ext_authz"].Unpack(check)
    assert check.check_settings.context_extensions["kagami_providers"] == "b,main"


def test_a_host_name_is_resolved_and_verified_an_address_is_not_resolved():
    named = cluster(made(PROVIDER), "provider_main")
    assert named.type == cluster_pb2.Cluster.LOGICAL_DNS
    assert b"api.example.test" in named.transport_socket.typed_config.value
    literal = cluster(made(replace(PROVIDER, host="10.0.0.1", tls=False)), "provider_main")
    assert literal.type == cluster_pb2.Cluster.STATIC
    assert not literal.HasField("transport_socket")


@pytest.mark.parametrize(("http2", "field"), [(True, b"h2"), (False, b"http/1.1")])
def test_the_protocol_is_the_providers(http2, field):
    assert field in cluster(made(replace(PROVIDER, http2=http2)), "provider_main").transport_socket.typed_config.value


def test_a_providers_own_authority_replaces_the_systems():
    pem = trustme.CA().cert_pem.bytes()
    own = made(replace(PROVIDER, ca_file="/ca.pem"), secrets={"file:/ca.pem": pem})
    assert pem in own.of(CLUSTER)["provider_main"].value
    assert GATEWAY.ca_bundle.encode() not in own.of(CLUSTER)["provider_main"].value
    assert GATEWAY.ca_bundle.encode() in made(PROVIDER).of(CLUSTER)["provider_main"].value


@pytest.mark.parametrize("changes", [{"key_ref": "env:NONE"}, {"ca_file": "/none"}])
def test_a_provider_with_an_unusable_reference_has_no_endpoint_but_a_hop(changes):
    resources = made(replace(PROVIDER, **changes))
    assert not cluster(resources, "provider_main").load_assignment.endpoints
    assert "hop_main" in resources.of(LISTENER)
    assert inconsistencies(resources) == ()


def test_references_are_collected_by_kind():
    snapshot = Snapshot("r", providers={"a": replace(PROVIDER, key_ref="env:K", ca_file="/ca"), "b": PROVIDER})
    assert credentials(snapshot) == {"env:K"}
    assert authorities(snapshot) == {"file:/ca"}
