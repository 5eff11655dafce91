from __future__ import annotations

from dataclasses import replace

import pytest
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.http.credential_injector.v3 import credential_injector_pb2
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from envoy.extensions.filters.http.ext_proc.v3 import ext_proc_pb2, processing_mode_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.http.injected_credentials.generic.v3 import generic_pb2
from kagamipb.exchange.v1.exchange_pb2 import Dialect

from controlplane.domain.snapshot import Provider
from controlplane.xds import listeners
from controlplane.xds.gateway import Endpoint, GatewaySettings, endpoints

GATEWAY = GatewaySettings(
    Endpoint("127.0.0.1", 8080),
    endpoints("unix:/cp"),
    endpoints("unix:/dp"),
    max_request_bytes=1234,
    message_timeout_ms=150,
)
PROVIDER = Provider(
    "main", Dialect.DIALECT_OPENAI_CHAT, tls=False, host="10.0.0.1", port=80, base_path="/v1", key_ref="env:K"
)


def manager(resource):
    listener = listener_pb2.Listener.FromString(resource.value)
    found = http_connection_manager_pb2.HttpConnectionManager()
    listener.filter_chains[0].filters[0].typed_config.Unpack(found)
    return listener, found


def filters(found, name, message):
    by_name = {item.name: item.typed_config for item in found.http_filters}
    by_name[name].Unpack(message)
    return message


def test_the_outer_listener_asks_authz_about_the_whole_body_and_fails_closed():
    listener, found = manager(listeners.gateway(GATEWAY))
    assert listener.address.socket_address.port_value == 8080
    authz = filters(found, "envoy.filters.http.ext_authz", ext_authz_pb2.ExtAuthz())
    assert authz.with_request_body.max_request_bytes == 1235
    assert authz.with_request_body.allow_partial_message
    assert authz.with_request_body.pack_as_bytes
    assert not authz.failure_mode_allow
    assert authz.status_on_error.code == 503
    assert [item.name for item in found.http_filters] == ["envoy.filters.http.ext_authz", "envoy.filters.http.router"]


def test_one_try_of_authz_is_shorter_than_the_whole_so_that_a_second_replica_is_asked():
    _, found = manager(listeners.gateway(GATEWAY))
    service = filters(found, "envoy.filters.http.ext_authz", ext_authz_pb2.ExtAuthz()).grpc_service
    # Envoy reads the longest back-off interval as the timeout of one try.
    assert service.retry_policy.retry_back_off.max_interval.ToMilliseconds() < service.timeout.ToMilliseconds()
    assert service.retry_policy.num_retries.value == 5


def test_the_outer_listener_trusts_nothing_a_client_says_about_itself():
    _, found = manager(listeners.gateway(GATEWAY))
    assert found.use_remote_address.value
    assert len(found.early_header_mutation_extensions) == 1
    assert found.common_http_protocol_options.headers_with_underscores_action == 2


@pytest.mark.parametrize("word", ["AUTHORIZATION", "COOKIE", "BODY", "USER-AGENT", "%REQ(:PATH)%"])
def test_the_access_log_holds_no_header_query_or_body(word):
    assert not any(word in value for value in listeners.ACCESS_LOG.values())


def test_a_hop_buffers_requests_streams_responses_and_fails_closed():
    listener, found = manager(listeners.hop(PROVIDER, GATEWAY))
    assert listener.HasField("internal_listener")
    processor = filters(found, "envoy.filters.http.ext_proc", ext_proc_pb2.ExternalProcessor())
    mode = processor.processing_mode
    assert mode.request_body_mode == processing_mode_pb2.ProcessingMode.BUFFERED
    assert mode.response_body_mode == processing_mode_pb2.ProcessingMode.STREAMED
    assert mode.response_header_mode == processing_mode_pb2.ProcessingMode.SEND
    assert not processor.failure_mode_allow
    assert not processor.observability_mode
    assert processor.status_on_error.code == 503
    assert processor.message_timeout.ToMilliseconds() == 150
    assert {item.key: item.value for item in processor.grpc_service.initial_metadata} == {"x-kagami-provider": "main"}


def test_the_credential_is_injected_behind_redaction_over_whatever_stands_there():
    _, found = manager(listeners.hop(PROVIDER, GATEWAY))
    assert [item.name.rpartition(".")[2] for item in found.http_filters] == [
        "ext_proc",
        "credential_injector",
        "router",
    ]
    injector = filters(found, "envoy.filters.http.credential_injector", credential_injector_pb2.CredentialInjector())
    generic = generic_pb2.Generic()
    injector.credential.typed_config.Unpack(generic)
    assert injector.overwrite
    assert not injector.allow_request_without_credential
    assert (generic.credential.name, generic.header) == ("key_main", "Authorization")


def test_a_provider_without_a_key_gets_no_injector():
    _, found = manager(listeners.hop(replace(PROVIDER, key_ref=""), GATEWAY))
    assert [item.name.rpartition(".")[2] for item in found.http_filters] == ["ext_proc", "router"]


def test_both_services_of_ours_are_shown_the_cluster_token_and_the_provider_is_not():
    settings = replace(GATEWAY, token="t" * 32)
    outer, hop = manager(listeners.gateway(settings))[1], manager(listeners.hop(PROVIDER, settings))[1]
    authz = filters(outer, "envoy.filters.http.ext_authz", ext_authz_pb2.ExtAuthz()).grpc_service
    redaction = filters(hop, "envoy.filters.http.ext_proc", ext_proc_pb2.ExternalProcessor()).grpc_service
    shown = [{item.key: item.value for item in service.initial_metadata} for service in (authz, redaction)]
    bearer = "Bearer " + "t" * 32
    assert shown == [{"authorization": bearer}, {"authorization": bearer, "x-kagami-provider": "main"}]
    assert str(hop).count("t" * 32) == str(redaction).count("t" * 32) == 1
    assert "t" * 32 not in repr(settings)
