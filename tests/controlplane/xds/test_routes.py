from __future__ import annotations

from dataclasses import replace

import pytest
from envoy.config.route.v3 import route_pb2
from kagamipb.exchange.v1.exchange_pb2 import Dialect

from controlplane.domain.snapshot import Provider
from controlplane.xds import routes
from controlplane.xds.packing import CLUSTER, LISTENER

PROVIDER = Provider(
    "main", Dialect.DIALECT_OPENAI_CHAT, tls=True, host="api.test", port=443, base_path="/v1",
    first_byte_timeout_ms=20_000, idle_timeout_ms=90_000,
)  # fmt: skip


def outer(*providers):
    configuration = route_pb2.RouteConfiguration.FromString(routes.gateway(list(providers), 1000).value)
    return configuration.virtual_hosts[0], configuration.virtual_hosts[0].routes[0]


def inner(provider):
    configuration = route_pb2.RouteConfiguration.FromString(bytes(routes.to_provider(provider, 1000)))
    return configuration.virtual_hosts[0].routes[0]


def test_only_a_header_or_a_lost_hop_moves_a_request_on():
    _, route = outer(PROVIDER)
    policy = route.route.retry_policy
    assert set(policy.retry_on.split(",")) == {"retriable-headers", "reset", "connect-failure", "refused-stream"}
    assert [(item.name, item.string_match.exact) for item in policy.retriable_headers] == [("x-kagami-retry", "1")]
    assert policy.num_retries.value == 0
    assert list(route.response_headers_to_remove) == ["x-kagami-retry"]


def test_the_cluster_is_chosen_again_for_every_attempt():
    _, route = outer(PROVIDER)
    # refresh_cluster_on_retry is field 14 of RetryPolicy; the published protobuf classes do not know it.
    assert b"\x70\x01" in route.route.retry_policy.SerializeToString()


def test_the_data_plane_learns_the_number_of_the_attempt():
    host, _ = outer(PROVIDER)
    assert host.include_request_attempt_count


def test_the_outer_timeouts_outlive_every_hops():
    slow = replace(PROVIDER, name="slow", first_byte_timeout_ms=300_000)
    _, route = outer(PROVIDER, slow)
    longest = max(inner(p).route.retry_policy.per_try_idle_timeout.ToMilliseconds() for p in (PROVIDER, slow))
    assert route.route.retry_policy.per_try_timeout.ToMilliseconds() > longest
    assert route.route.idle_timeout.ToMilliseconds() > inner(PROVIDER).route.idle_timeout.ToMilliseconds()
    assert route.route.timeout.ToMilliseconds() == 0


def test_the_route_needs_the_hops_it_names():
    needs = routes.gateway([PROVIDER], 1000).needs
    assert {(CLUSTER, "hop_main"), (LISTENER, "hop_main"), (CLUSTER, "kagami_no_chain")} == needs


def test_a_hop_makes_one_attempt_within_the_providers_timeouts():
    policy = inner(PROVIDER).route.retry_policy
    assert policy.num_retries.value == 0
    assert policy.per_try_timeout.ToMilliseconds() == 20_000
    assert policy.per_try_idle_timeout.ToMilliseconds() == 90_000
    waiting = replace(PROVIDER, first_byte_timeout_ms=60_000, idle_timeout_ms=5_000)
    assert inner(waiting).route.retry_policy.per_try_idle_timeout.ToMilliseconds() == 60_000
    # Envoy forgets the idle timeout when the other one passes: with the same length only one may be set.
    assert not inner(waiting).route.retry_policy.HasField("per_try_timeout")


@pytest.mark.parametrize(
    ("changes", "host"),
    [
        ({}, "api.test"),
        ({"port": 8443}, "api.test:8443"),
        ({"tls": False, "port": 80}, "api.test"),
        ({"tls": False}, "api.test:443"),
    ],
)
def test_the_host_header_is_the_providers(changes, host):
    assert inner(replace(PROVIDER, **changes)).route.host_rewrite_literal == host


@pytest.mark.parametrize("route", [lambda: outer(PROVIDER)[1], lambda: inner(PROVIDER)], ids=["outer", "hop"])
def test_the_largest_body_can_be_buffered_for_the_next_attempt(route):
    # request_body_buffer_limit is a UInt64Value of Route; the published protobuf classes may not know it.
    assert _varint(1000 + 65_536) in route().SerializeToString()


def _varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
