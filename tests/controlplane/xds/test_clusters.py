from __future__ import annotations

from dataclasses import replace

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from kagamipb.exchange.v1.exchange_pb2 import Dialect
from kagamirpc.server import NOTICE_SECONDS

from controlplane.domain.snapshot import Provider
from controlplane.xds import clusters
from controlplane.xds.gateway import endpoints

PROVIDER = Provider("main", Dialect.DIALECT_OPENAI_CHAT, tls=True, host="api.test", port=443, base_path="/v1")


def parsed(resource):
    return cluster_pb2.Cluster.FromString(resource.value)


def tls(provider, trusted=b""):
    context = tls_pb2.UpstreamTlsContext()
    parsed(clusters.upstream(provider, trusted, "/etc/bundle.pem")).transport_socket.typed_config.Unpack(context)
    return context


def test_each_process_of_ours_is_an_endpoint_watched_and_ejected_at_once():
    cluster = parsed(clusters.service(clusters.DATAPLANE, endpoints("unix:/a,unix:/b")))
    hosts = cluster.load_assignment.endpoints[0].lb_endpoints
    assert [host.endpoint.address.pipe.path for host in hosts] == ["/a", "/b"]
    assert cluster.outlier_detection.consecutive_local_origin_failure.value == 1
    assert cluster.outlier_detection.max_ejection_percent.value == 50
    assert cluster.health_checks[0].HasField("grpc_health_check")
    assert cluster.health_checks[0].no_traffic_interval.ToMilliseconds() == 250


def test_a_request_goes_to_the_process_with_fewest_under_way_or_to_each_in_turn():
    processes = endpoints("unix:/a,unix:/b")
    cluster = parsed(clusters.service(clusters.DATAPLANE, processes, clusters.LEAST))
    assert cluster.lb_policy == cluster_pb2.Cluster.LEAST_REQUEST
    assert cluster.least_request_lb_config.choice_count.value == 6
    cluster = parsed(clusters.service(clusters.AUTHZ, processes))
    assert cluster.lb_policy == cluster_pb2.Cluster.ROUND_ROBIN
    assert not cluster.HasField("least_request_lb_config")


def test_a_process_told_to_stop_answers_for_as_long_as_envoy_needs_to_see_it():
    check = parsed(clusters.service(clusters.AUTHZ, endpoints("unix:/a"))).health_checks[0]
    assert 3 * check.interval.ToMilliseconds() <= NOTICE_SECONDS * 1_000


def test_errors_a_service_answers_never_eject_it():
    detection = parsed(clusters.service(clusters.DATAPLANE, endpoints("unix:/a"))).outlier_detection
    assert detection.split_external_local_origin_errors
    for field in ("enforcing_consecutive_5xx", "enforcing_consecutive_gateway_failure", "enforcing_success_rate"):
        assert detection.HasField(field)
        assert getattr(detection, field).value == 0


def test_no_breaker_of_envoys_defaults_refuses_a_failover():
    for resource in (
        clusters.hop(PROVIDER),
        clusters.upstream(PROVIDER, b"", "/x"),
        clusters.service("s", endpoints("unix:/a")),
    ):
        threshold = parsed(resource).circuit_breakers.thresholds[0]
        assert threshold.max_retries.value >= 10_000
        assert threshold.max_requests.value >= 10_000


def test_a_hop_leads_to_the_internal_listener_of_the_same_name():
    address = parsed(clusters.hop(PROVIDER)).load_assignment.endpoints[0].lb_endpoints[0].endpoint.address
    assert address.envoy_internal_address.server_listener_name == "hop_main"


def test_the_fallback_has_no_endpoint():
    assert not parsed(clusters.no_chain()).load_assignment.endpoints


def test_an_ejected_provider_is_really_left_alone():
    cluster = parsed(clusters.upstream(PROVIDER, b"", "/x"))
    assert cluster.common_lb_config.HasField("healthy_panic_threshold")
    assert cluster.common_lb_config.healthy_panic_threshold.value == 0
    assert cluster.outlier_detection.max_ejection_percent.value == 100


@pytest.mark.parametrize(
    ("changes", "sni", "name"),
    [
        ({}, "api.test", "api.test"),
        ({"sni": "other.test"}, "other.test", "other.test"),
        ({"host": "10.0.0.1"}, "", "10.0.0.1"),
    ],
)
def test_tls_names_and_verifies_the_provider(changes, sni, name):
    context = tls(replace(PROVIDER, **changes))
    validation = context.common_tls_context.validation_context
    assert context.sni == sni
    assert [item.matcher.exact for item in validation.match_typed_subject_alt_names] == [name]
    assert validation.trusted_ca.filename == "/etc/bundle.pem"
    assert context.common_tls_context.tls_params.tls_minimum_protocol_version == common_pb2.TlsParameters.TLSv1_2


def test_an_own_authority_is_sent_along():
    assert tls(PROVIDER, b"PEM").common_tls_context.validation_context.trusted_ca.inline_bytes == b"PEM"
