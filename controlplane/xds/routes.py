"""Routes: the outer one follows each request's chain of hops, a hop's leads to its provider.

Retry convention. The outer router moves on to the next hop of the chain when a response carries `x-kagami-retry: 1`,
when a hop refuses or resets before answering, or when an attempt outlives every timeout of its hop; on no status by
itself. So the data plane decides: a provider's failure with a successor in the chain gets the header, its own refusals
(403 pii_blocked, 503 audit_unavailable, …) never do and reach the client. The header ends here. How many attempts:
`x-envoy-max-retries`, set by authz to the chain's length minus one.

Live providers. The outer route tells authz, with every check, which providers this Envoy holds completely
(`context_extensions["kagami_providers"]`). ADS pushes this route only after clusters, hop listeners and secrets are
acknowledged, and withdraws a provider here before it drops them: no decision ever names a hop Envoy does not have.

Timeouts. Silence, before the first byte or after it: the hop's per-try idle timeout, the longer of the provider's
two. A first-byte timeout shorter than the idle one is the hop's per-try timeout as well, counted from the last byte of
the redacted request; when that one passes Envoy forgets the other (`UpstreamRequest::onPerTryTimeout`), so that
streams of such providers have the route's idle timeout to end them. The outer timeouts only outlive these.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from envoy_data_plane.envoy.config.route.v3 import (
    ClusterSpecifierPlugin,
    HeaderMatcher,
    RetryPolicy,
    RetryPolicyRetryBackOff,
    Route,
    RouteAction,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import CheckSettings, ExtAuthzPerRoute
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

from controlplane.domain.snapshot import Provider
from controlplane.xds.clusters import NO_CHAIN, hop_name, provider_name
from controlplane.xds.headers import RETRY
from controlplane.xds.packing import CLUSTER, LISTENER, ROUTE, Resource, packed, priority_groups, resource
from controlplane.xds.replies import AUTHZ_NAMESPACE

GATEWAY_ROUTES = "gateway"
PROVIDERS_KEY = "kagami_providers"
_SLACK_MS = 75_000
"""Longest redaction of a request (60 s) and then some."""
_NEVER_TO_PROVIDERS = ["x-forwarded-proto", "x-forwarded-for", "x-request-id", "x-envoy-attempt-count"]


def gateway(providers: Sequence[Provider], max_request_bytes: int) -> Resource:
    """Route configuration of the outer listener, fetched by RDS. Providers ascending by name."""
    longest = max((max(p.first_byte_timeout_ms, p.idle_timeout_ms) for p in providers), default=0) + _SLACK_MS
    names = ",".join(provider.name for provider in providers)
    check = ExtAuthzPerRoute(check_settings=CheckSettings(context_extensions={PROVIDERS_KEY: names}))
    route = Route(
        name="chain",
        match=RouteMatch(prefix="/"),
        route=RouteAction(
            timeout=dt.timedelta(),
            idle_timeout=_ms(longest + _SLACK_MS),
            inline_cluster_specifier_plugin=ClusterSpecifierPlugin(
                extension=priority_groups(NO_CHAIN, AUTHZ_NAMESPACE)
            ),
            retry_policy=_next_provider(_ms(longest)),
        ),
        typed_per_filter_config={AUTHZ_NAMESPACE: packed(check)},
        request_body_buffer_limit=max_request_bytes + 65_536,
        response_headers_to_remove=[RETRY],
    )
    host = VirtualHost(name="gateway", domains=["*"], routes=[route], include_request_attempt_count=True)
    needs = [(CLUSTER, hop_name(p.name)) for p in providers] + [(LISTENER, hop_name(p.name)) for p in providers]
    return resource(ROUTE, RouteConfiguration(name=GATEWAY_ROUTES, virtual_hosts=[host]), (CLUSTER, NO_CHAIN), *needs)


def to_provider(provider: Provider, max_body_bytes: int) -> RouteConfiguration:
    """Inline route configuration of a hop listener: one attempt at one provider.

    `max_body_bytes` is the larger of the two directions' limits: Envoy applies a route's request limit to answers too.
    """
    host = provider.host if provider.port == (443 if provider.tls else 80) else f"{provider.host}:{provider.port}"
    idle = max(provider.first_byte_timeout_ms, provider.idle_timeout_ms)
    sooner = provider.first_byte_timeout_ms < idle
    route = Route(
        match=RouteMatch(prefix="/"),
        route=RouteAction(
            cluster=provider_name(provider.name),
            timeout=dt.timedelta(),
            idle_timeout=_ms(idle + _SLACK_MS),
            host_rewrite_literal=host,
            retry_policy=RetryPolicy(
                retry_on="connect-failure",
                num_retries=0,
                per_try_timeout=_ms(provider.first_byte_timeout_ms) if sooner else None,
                per_try_idle_timeout=_ms(idle),
            ),
        ),
        request_body_buffer_limit=max_body_bytes + 65_536,
        request_headers_to_remove=_NEVER_TO_PROVIDERS,
    )
    return RouteConfiguration(
        name=hop_name(provider.name), virtual_hosts=[VirtualHost(name="provider", domains=["*"], routes=[route])]
    )


def _next_provider(per_try: dt.timedelta) -> RetryPolicy:
    """Retries without a budget of their own: authz says how many, per request."""
    asked = HeaderMatcher(name=RETRY, string_match=StringMatcher(exact="1"))
    return RetryPolicy(
        retry_on="retriable-headers,reset,connect-failure,refused-stream",
        retriable_headers=[asked],
        num_retries=0,
        per_try_timeout=per_try,
        retry_back_off=RetryPolicyRetryBackOff(base_interval=_ms(5), max_interval=_ms(20)),
        refresh_cluster_on_retry=True,
    )


def _ms(milliseconds: int) -> dt.timedelta:
    return dt.timedelta(milliseconds=milliseconds)
