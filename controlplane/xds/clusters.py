"""Clusters: our own services, one hop per provider, one provider behind each hop.

Own services: every process is an endpoint of its own, with active gRPC health checks and ejection on the first
connection failure, so that a dead process costs nobody a request. Control planes take turns; of the data plane's
workers the one with fewest exchanges under way gets the next, which spares it the wait behind a long scan. Errors a
service *answers* never eject it: a client who provokes them could otherwise take it away from everybody.
Providers: a host name is one logical host (their load balancers rotate addresses), ejected for moments when it keeps
failing, so that chains skip a brown-out at once. `healthy_panic_threshold` 0 makes that ejection count.
Hops: the internal listener of the same name inside the same process.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    Cluster,
    ClusterCommonLbConfig,
    ClusterDiscoveryType,
    ClusterDnsLookupFamily,
    ClusterLbPolicy,
    ClusterLeastRequestLbConfig,
    OutlierDetection,
)
from envoy_data_plane.envoy.config.core.v3 import (
    Address,
    DataSource,
    EnvoyInternalAddress,
    HealthCheck,
    HealthCheckGrpcHealthCheck,
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    KeepaliveSettings,
    Pipe,
    SocketAddress,
    TransportSocket,
)
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    LbEndpoint,
    LocalityLbEndpoints,
)
from envoy_data_plane.envoy.config.endpoint.v3 import (
    Endpoint as EnvoyEndpoint,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateValidationContext,
    CommonTlsContext,
    SubjectAltNameMatcher,
    SubjectAltNameMatcherSanType,
    TlsParameters,
    TlsParametersTlsProtocol,
    UpstreamTlsContext,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.envoy.type.v3 import Percent
from envoy_data_plane.google.protobuf import Any

from controlplane.domain.snapshot import Provider
from controlplane.xds.gateway import Endpoint, discovery, is_address
from controlplane.xds.packing import CACHED, CLUSTER, LISTENER, Resource, packed, resource

AUTHZ = "kagami_authz"
DATAPLANE = "kagami_dataplane"
NO_CHAIN = "kagami_no_chain"
ROUND, LEAST = ClusterLbPolicy.ROUND_ROBIN, ClusterLbPolicy.LEAST_REQUEST
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_PLENTY = 100_000
CHOICES = 6
"""Hosts Envoy compares, drawn at random with repetition, to find the one with fewest requests under way. The usual two
would often be one and the same, and a request wait behind another while a worker rests; six leave out a certain one of
two hosts once in 64 times. Not many more: a process that just died has no requests under way and is the choice of
every draw it is in, so that a second try gets past it only with draws that leave it out (`listeners.RESELECTIONS`)."""


def hop_name(provider: str) -> str:
    """Cluster and internal listener of a provider's hop."""
    return f"hop_{provider}"


def provider_name(provider: str) -> str:
    """Cluster of the provider itself."""
    return f"provider_{provider}"


@lru_cache(CACHED)
def service(name: str, endpoints: tuple[Endpoint, ...], policy: ClusterLbPolicy = ROUND) -> Resource:
    """A gRPC service of ours, one endpoint per process."""
    cluster = Cluster(
        name=name,
        type=ClusterDiscoveryType[discovery(endpoints)],
        connect_timeout=_ms(500),
        load_assignment=_assignment(name, [_address(endpoint) for endpoint in endpoints]),
        typed_extension_protocol_options={_HTTP_OPTIONS: _http2()},
        circuit_breakers=_breakers(_PLENTY),
        lb_policy=policy,
        least_request_lb_config=ClusterLeastRequestLbConfig(choice_count=CHOICES) if policy is LEAST else None,
        common_lb_config=ClusterCommonLbConfig(healthy_panic_threshold=Percent(value=1)),
        outlier_detection=OutlierDetection(
            split_external_local_origin_errors=True,
            consecutive_local_origin_failure=1,
            enforcing_consecutive_local_origin_failure=100,
            enforcing_consecutive_5xx=0,
            enforcing_consecutive_gateway_failure=0,
            enforcing_success_rate=0,
            enforcing_local_origin_success_rate=0,
            max_ejection_percent=50,
            interval=_ms(250),
            base_ejection_time=_ms(500),
            max_ejection_time=_ms(5_000),
        ),
        health_checks=[_health_check()],
    )
    return resource(CLUSTER, cluster)


@lru_cache(CACHED)
def no_chain() -> Resource:
    """Where requests without a decision end: no endpoints, hence 503."""
    return resource(
        CLUSTER,
        Cluster(name=NO_CHAIN, type=ClusterDiscoveryType.STATIC, load_assignment=_assignment(NO_CHAIN, [])),
    )


@lru_cache(CACHED)
def hop(provider: Provider) -> Resource:
    """The way from the router into a provider's internal listener."""
    name = hop_name(provider.name)
    address = Address(envoy_internal_address=EnvoyInternalAddress(server_listener_name=name, endpoint_id=name))
    cluster = Cluster(
        name=name,
        type=ClusterDiscoveryType.STATIC,
        connect_timeout=_ms(1_000),
        load_assignment=_assignment(name, [address]),
        typed_extension_protocol_options={_HTTP_OPTIONS: _http2()},
        circuit_breakers=_breakers(_PLENTY),
    )
    return resource(CLUSTER, cluster, (LISTENER, name))


@lru_cache(CACHED)
def unusable(provider: Provider) -> Resource:
    """A provider whose key or CA cannot be read: no endpoints, so that attempts fail at once."""
    name = provider_name(provider.name)
    return resource(
        CLUSTER, Cluster(name=name, type=ClusterDiscoveryType.STATIC, load_assignment=_assignment(name, []))
    )


@lru_cache(CACHED)
def upstream(provider: Provider, trusted_ca: bytes, ca_bundle: str) -> Resource:
    """The provider's own servers. `trusted_ca` is PEM; empty = Envoy reads the bundle at `ca_bundle`."""
    name = provider_name(provider.name)
    literal = is_address(provider.host)
    address = Address(socket_address=SocketAddress(address=provider.host, port_value=provider.port))
    cluster = Cluster(
        name=name,
        type=ClusterDiscoveryType.STATIC if literal else ClusterDiscoveryType.LOGICAL_DNS,
        dns_lookup_family=ClusterDnsLookupFamily.V4_PREFERRED,
        connect_timeout=_ms(3_000),
        load_assignment=_assignment(name, [address]),
        typed_extension_protocol_options={_HTTP_OPTIONS: _http2() if provider.http2 else _http1()},
        circuit_breakers=_breakers(10_000),
        common_lb_config=ClusterCommonLbConfig(healthy_panic_threshold=Percent(value=0)),
        outlier_detection=OutlierDetection(
            consecutive_5xx=10,
            consecutive_gateway_failure=10,
            enforcing_consecutive_gateway_failure=100,
            split_external_local_origin_errors=True,
            consecutive_local_origin_failure=5,
            enforcing_success_rate=0,
            enforcing_local_origin_success_rate=0,
            max_ejection_percent=100,
            interval=_ms(1_000),
            base_ejection_time=_ms(2_000),
            max_ejection_time=_ms(30_000),
        ),
        transport_socket=_tls(provider, trusted_ca, ca_bundle) if provider.tls else None,
    )
    return resource(CLUSTER, cluster)


def _tls(provider: Provider, trusted_ca: bytes, ca_bundle: str) -> TransportSocket:
    """TLS 1.2 or later; the certificate must chain to the bundle and name the host (RFC 6125, wildcards included)."""
    expected = provider.sni or provider.host
    literal = is_address(expected)
    kind = SubjectAltNameMatcherSanType.IP_ADDRESS if literal else SubjectAltNameMatcherSanType.DNS
    trusted = DataSource(inline_bytes=trusted_ca) if trusted_ca else DataSource(filename=ca_bundle)
    context = UpstreamTlsContext(
        sni="" if literal else expected,
        common_tls_context=CommonTlsContext(
            alpn_protocols=["h2"] if provider.http2 else ["http/1.1"],
            tls_params=TlsParameters(tls_minimum_protocol_version=TlsParametersTlsProtocol.TLSv1_2),
            validation_context=CertificateValidationContext(
                trusted_ca=trusted,
                match_typed_subject_alt_names=[
                    SubjectAltNameMatcher(san_type=kind, matcher=StringMatcher(exact=expected))
                ],
            ),
        ),
    )
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(context))


def _http2() -> Any:
    keepalive = KeepaliveSettings(interval=_ms(30_000), timeout=_ms(10_000))
    options = Http2ProtocolOptions(connection_keepalive=keepalive)
    return packed(
        HttpProtocolOptions(explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=options))
    )


def _http1() -> Any:
    options = HttpProtocolOptionsExplicitHttpConfig(http_protocol_options=Http1ProtocolOptions())
    return packed(HttpProtocolOptions(explicit_http_config=options))


def _health_check() -> HealthCheck:
    """Quick to see a process go and come; a second's patience so that a busy one is not taken for dead."""
    return HealthCheck(
        timeout=_ms(1_000),
        interval=_ms(250),
        no_traffic_interval=_ms(250),
        unhealthy_interval=_ms(250),
        unhealthy_threshold=2,
        healthy_threshold=1,
        grpc_health_check=HealthCheckGrpcHealthCheck(),
    )


def _breakers(limit: int) -> CircuitBreakers:
    """The defaults (1024 requests, 3 retries) would refuse failovers under load."""
    return CircuitBreakers(
        thresholds=[
            CircuitBreakersThresholds(
                max_connections=limit, max_pending_requests=limit, max_requests=limit, max_retries=limit
            )
        ]
    )


def _assignment(name: str, addresses: Sequence[Address]) -> ClusterLoadAssignment:
    hosts = [LbEndpoint(endpoint=EnvoyEndpoint(address=address)) for address in addresses]
    return ClusterLoadAssignment(
        cluster_name=name, endpoints=[LocalityLbEndpoints(lb_endpoints=hosts)] if hosts else []
    )


def _address(endpoint: Endpoint) -> Address:
    if endpoint.path:
        return Address(pipe=Pipe(path=endpoint.path))
    return Address(socket_address=SocketAddress(address=endpoint.host, port_value=endpoint.port))


def _ms(milliseconds: int) -> dt.timedelta:
    return dt.timedelta(milliseconds=milliseconds)
