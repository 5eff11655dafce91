"""Listeners: the outer one clients reach, and one internal listener per provider (its hop).

Outer: forged internal headers are dropped before anything reads them; ext_authz decides on the whole body (up to the
limit, then a marked part of it, which authz refuses); the router follows the chain. Hop: one ext_proc exchange redacts
in both directions, the credential is injected behind it, so that no Python process ever sees a provider's key.
Both fail closed: no answer from a service of ours is 503 and nothing passes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
from envoy_data_plane.envoy.config.common.mutation_rules.v3 import (
    HeaderMutation,
    HeaderMutationRemoveOnMatch,
    HeaderMutationRules,
)
from envoy_data_plane.envoy.config.core.v3 import (
    Address,
    AggregatedConfigSource,
    ApiVersion,
    BackoffStrategy,
    ConfigSource,
    GrpcService,
    GrpcServiceEnvoyGrpc,
    HeaderValue,
    Http2ProtocolOptions,
    HttpProtocolOptions,
    HttpProtocolOptionsHeadersWithUnderscoresAction,
    RetryPolicy,
    RetryPolicyRetryHostPredicate,
    SocketAddress,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.config.listener.v3 import (
    Filter,
    FilterChain,
    Listener,
    ListenerInternalListenerConfig,
)
from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
from envoy_data_plane.envoy.extensions.filters.http.credential_injector.v3 import CredentialInjector
from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import BufferSettings, ExtAuthz
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ExternalProcessor,
    ProcessingMode,
    ProcessingModeBodySendMode,
    ProcessingModeHeaderSendMode,
)
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerCodecType,
    HttpConnectionManagerPathWithEscapedSlashesAction,
    HttpConnectionManagerServerHeaderTransformation,
    HttpFilter,
    Rds,
)
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy_data_plane.envoy.extensions.http.injected_credentials.generic.v3 import Generic
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts.v3 import PreviousHostsPredicate
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import SdsSecretConfig
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher, StringMatcher
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode
from envoy_data_plane.google.protobuf import Struct
from kagamirpc.token import metadata

from controlplane.domain.snapshot import Provider
from controlplane.xds import replies
from controlplane.xds.clusters import AUTHZ, DATAPLANE, hop_name, provider_name
from controlplane.xds.gateway import GatewaySettings
from controlplane.xds.headers import PROVIDER, internal_names
from controlplane.xds.packing import CACHED, CLUSTER, LISTENER, ROUTE, SECRET, Resource, extension, packed, resource
from controlplane.xds.routes import GATEWAY_ROUTES, to_provider

GATEWAY = "gateway"
_SLACK_BYTES = 65_536
RESELECTIONS = 5_000
"""Times a second try draws hosts anew, until it is given one not tried before. All in vain, because none is left, they
take Envoy about a millisecond."""
_METADATA = "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:{})%"
ACCESS_LOG: Mapping[str, str] = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "request_id": _METADATA.format("request_id"),
    "tenant": _METADATA.format("tenant"),
    "key_id": _METADATA.format("key_id"),
    "method": "%REQ(:METHOD)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
    "hop": "%UPSTREAM_CLUSTER%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
}
"""No header of the client's, no query string, no body: nothing a person typed."""


def secret_name(provider: str) -> str:
    """SDS secret with a provider's key."""
    return f"key_{provider}"


@lru_cache(CACHED)
def gateway(settings: GatewaySettings) -> Resource:
    """The listener clients reach. Depends on settings alone: adding a provider never touches it."""
    manager = HttpConnectionManager(
        stat_prefix="gateway",
        codec_type=HttpConnectionManagerCodecType.AUTO,
        rds=Rds(config_source=_ads(), route_config_name=GATEWAY_ROUTES),
        http_filters=[
            _filter(replies.AUTHZ_NAMESPACE, _authz(settings)),
            _filter("envoy.filters.http.router", Router(suppress_envoy_headers=True)),
        ],
        early_header_mutation_extensions=[extension("envoy.http.early_header_mutation.header_mutation", _scrub())],
        local_reply_config=replies.local_replies(replies.OUTER, "ext_authz_denied"),
        access_log=[_access_log()],
        use_remote_address=True,
        generate_request_id=False,
        server_name="kagami",
        normalize_path=True,
        merge_slashes=True,
        # Model names hold slashes (GET /v1/models/org%2Fname); no route depends on the path.
        path_with_escaped_slashes_action=HttpConnectionManagerPathWithEscapedSlashesAction.KEEP_UNCHANGED,
        stream_idle_timeout=_seconds(300),
        request_headers_timeout=_seconds(10),
        request_timeout=_seconds(120),
        max_request_headers_kb=32,
        common_http_protocol_options=HttpProtocolOptions(
            idle_timeout=_seconds(900),
            max_headers_count=100,
            headers_with_underscores_action=HttpProtocolOptionsHeadersWithUnderscoresAction.DROP_HEADER,
        ),
        http2_protocol_options=Http2ProtocolOptions(
            max_concurrent_streams=256,
            initial_stream_window_size=1 << 20,
            initial_connection_window_size=4 << 20,
        ),
    )
    listener = Listener(
        name=GATEWAY,
        address=Address(socket_address=SocketAddress(address=settings.listen.host, port_value=settings.listen.port)),
        filter_chains=[_chain(manager)],
        per_connection_buffer_limit_bytes=1 << 20,
    )
    return resource(LISTENER, listener, (CLUSTER, AUTHZ), (ROUTE, GATEWAY_ROUTES))


@lru_cache(CACHED)
def hop(provider: Provider, settings: GatewaySettings) -> Resource:
    """The internal listener that takes one attempt to one provider."""
    filters = [_filter("envoy.filters.http.ext_proc", _redaction(provider, settings))]
    needs = [(CLUSTER, DATAPLANE), (CLUSTER, provider_name(provider.name))]
    if provider.key_ref:
        filters.append(_filter("envoy.filters.http.credential_injector", _credential(provider)))
        needs.append((SECRET, secret_name(provider.name)))
    filters.append(_filter("envoy.filters.http.router", Router(suppress_envoy_headers=True)))
    name = hop_name(provider.name)
    manager = HttpConnectionManager(
        stat_prefix=name,
        codec_type=HttpConnectionManagerCodecType.HTTP2,
        route_config=to_provider(provider, max(settings.max_request_bytes, settings.max_response_bytes)),
        http_filters=filters,
        local_reply_config=replies.local_replies(replies.HOP),
        use_remote_address=False,
        skip_xff_append=True,
        generate_request_id=False,
        server_header_transformation=HttpConnectionManagerServerHeaderTransformation.PASS_THROUGH,
        stream_idle_timeout=_seconds(300),
        http2_protocol_options=Http2ProtocolOptions(initial_stream_window_size=1 << 20),
    )
    listener = Listener(
        name=name,
        internal_listener=ListenerInternalListenerConfig(),
        filter_chains=[_chain(manager)],
        # A whole answer is held for redaction; a larger one is refused.
        per_connection_buffer_limit_bytes=settings.max_response_bytes + _SLACK_BYTES,
    )
    return resource(LISTENER, listener, *needs)


def _authz(settings: GatewaySettings) -> ExtAuthz:
    return ExtAuthz(
        transport_api_version=ApiVersion.V3,
        grpc_service=_grpc(AUTHZ, settings, settings.authz_try_ms, settings.authz_timeout_ms),
        # One byte over the limit. Envoy stops waiting as soon as it holds this much, and marks what it sends as a part
        # only when it holds more: a beginning of just the limit's size would pass for a whole body.
        with_request_body=BufferSettings(
            max_request_bytes=settings.max_request_bytes + 1, allow_partial_message=True, pack_as_bytes=True
        ),
        clear_route_cache=True,
        status_on_error=HttpStatus(code=StatusCode.ServiceUnavailable),
    )


def _redaction(provider: Provider, settings: GatewaySettings) -> ExternalProcessor:
    send, skip = ProcessingModeHeaderSendMode.SEND, ProcessingModeHeaderSendMode.SKIP
    service = _grpc(DATAPLANE, settings, settings.max_message_timeout_ms)
    service.initial_metadata.append(HeaderValue(key=PROVIDER, value=provider.name))
    return ExternalProcessor(
        grpc_service=service,
        processing_mode=ProcessingMode(
            request_header_mode=send,
            request_body_mode=ProcessingModeBodySendMode.BUFFERED,
            request_trailer_mode=skip,
            response_header_mode=send,
            response_body_mode=ProcessingModeBodySendMode.STREAMED,
            response_trailer_mode=send,
        ),
        message_timeout=_ms(settings.message_timeout_ms),
        max_message_timeout=_ms(settings.max_message_timeout_ms),
        # Whole answers come in one message, with their headers held, so that they can still be refused.
        allow_mode_override=True,
        mutation_rules=HeaderMutationRules(allow_all_routing=True, allow_envoy=True),
        response_attributes=["response.code_details"],
        status_on_error=HttpStatus(code=StatusCode.ServiceUnavailable),
    )


def _credential(provider: Provider) -> CredentialInjector:
    generic = Generic(
        credential=SdsSecretConfig(name=secret_name(provider.name), sds_config=_ads()),
        header="Authorization",
        header_value_prefix="Bearer ",
    )
    return CredentialInjector(overwrite=True, credential=extension("envoy.http.injected_credentials.generic", generic))


def _scrub() -> EarlyHeaderMutation:
    patterns = [StringMatcher(safe_regex=RegexMatcher(regex=pattern)) for pattern in internal_names()]
    return EarlyHeaderMutation(
        mutations=[
            HeaderMutation(remove_on_match=HeaderMutationRemoveOnMatch(key_matcher=pattern)) for pattern in patterns
        ]
    )


def _access_log() -> AccessLog:
    log = StdoutAccessLog(log_format=SubstitutionFormatString(json_format=Struct.from_dict(dict(ACCESS_LOG))))
    return AccessLog(name="envoy.access_loggers.stdout", typed_config=packed(log))


def _grpc(cluster: str, settings: GatewaySettings, try_ms: int, timeout_ms: int | None = None) -> GrpcService:
    """A service of ours, shown the cluster token. A process that cannot be reached costs a second try, not the request.

    The tries, tens of milliseconds in all, outlast the moment in which a dead process is still chosen: Envoy's workers
    learn of an ejection from its main thread, which on a busy machine comes late.
    Envoy takes the longest back-off interval for the timeout of one try as well; it must therefore be `try_ms`.
    Requests above 64 KiB are not tried again (Envoy's limit for its own gRPC calls).
    """
    retry = RetryPolicy(
        num_retries=5,
        retry_on="connect-failure,refused-stream,reset,unavailable,cancelled",
        retry_back_off=BackoffStrategy(base_interval=_ms(5), max_interval=_ms(try_ms)),
        retry_host_predicate=[
            RetryPolicyRetryHostPredicate(
                name="envoy.retry_host_predicates.previous_hosts", typed_config=packed(PreviousHostsPredicate())
            )
        ],
        host_selection_retry_max_attempts=RESELECTIONS,
    )
    envoy_grpc = GrpcServiceEnvoyGrpc(cluster_name=cluster, skip_envoy_headers=True)
    return GrpcService(
        envoy_grpc=envoy_grpc,
        timeout=None if timeout_ms is None else _ms(timeout_ms),
        retry_policy=retry,
        initial_metadata=[HeaderValue(key=name, value=value) for name, value in metadata(settings.token)],
    )


def _chain(manager: HttpConnectionManager) -> FilterChain:
    return FilterChain(
        filters=[Filter(name="envoy.filters.network.http_connection_manager", typed_config=packed(manager))]
    )


def _filter(name: str, message: ExtAuthz | ExternalProcessor | CredentialInjector | Router) -> HttpFilter:
    return HttpFilter(name=name, typed_config=packed(message))


def _ads() -> ConfigSource:
    return ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)


def _seconds(seconds: int) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


def _ms(milliseconds: int) -> dt.timedelta:
    return dt.timedelta(milliseconds=milliseconds)
