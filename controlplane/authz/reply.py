"""Decisions → Envoy's CheckResponse.

What is the same for every request on a route is built once per snapshot (`Plan`) and copied: the metadata
that orders the clusters, the headers to remove, the retry limit and the static part of the exchange
context. The metadata also names request, tenant and key for Envoy's access log and its own error answers.
A protobuf message may be encoded in pieces (a parser merges them), so the context of one request is that
static part followed by its own fields. Header values go into `value`: Envoy takes no `raw_value` here
(observed with Envoy 1.40).

Source: envoy.service.auth.v3; route header names in Envoy's router filter documentation.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse, DeniedHttpResponse, OkHttpResponse
from envoy.type.v3.http_status_pb2 import HttpStatus
from google.rpc.code_pb2 import OK, PERMISSION_DENIED
from google.rpc.status_pb2 import Status
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT, ExchangeContext, PolicyRef, Prices, Target

from controlplane.domain.errors import Problem
from controlplane.domain.routing import Hop

EXCHANGE_HEADER: Final = "x-kagami-exchange"
REQUEST_ID_HEADER: Final = "x-kagami-request-id"
ROUTE_REASON: Final = "priority"
"""Why the chain is in its order: as the route lists it."""
_REMOVED: Final = (
    "authorization",
    "x-api-key",
    "api-key",
    "cookie",
    "x-kagami-strategy",
    "x-kagami-tags",
    "x-kagami-user",
)
_OVERWRITE: Final = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of an answer that every request on one route shares."""

    response: CheckResponse
    context: bytes


@dataclass(frozen=True, slots=True)
class Grant:
    """The part that belongs to one request."""

    request_id: str
    tenant: str
    key_id: str
    user: str
    policy: str
    policy_version: str
    reservation_id: str
    max_output_tokens: int
    paid_output_tokens: int
    traceparent: str
    admitted_at_unix_micros: int
    tags: Mapping[str, str]
    rates: Mapping[str, str] = field(default_factory=dict)
    """Response headers about rate limits."""


def plan(model: str, hops: Sequence[Hop]) -> Plan:
    """What requests for `model` share; `hops` in the order they are tried."""
    response = CheckResponse(status=Status(code=OK), ok_response=OkHttpResponse(headers_to_remove=_REMOVED))
    groups = [
        {"name": str(index), "clusters": [{"cluster_name": f"hop_{hop.provider.name}", "weight": 1}]}
        for index, hop in enumerate(hops)
    ]
    response.dynamic_metadata.update({"priority_groups": groups})
    # The route retries nothing by itself. Timeouts are each hop's own, so that they are recorded there.
    response.ok_response.headers.append(_header("x-envoy-max-retries", str(len(hops) - 1)))
    context = ExchangeContext(
        client_dialect=DIALECT_OPENAI_CHAT,
        model_asked=model,
        chain=[_target(hop) for hop in hops],
        route_reason=ROUTE_REASON,
    )
    return Plan(response, context.SerializeToString())


def allow(plan: Plan, grant: Grant) -> CheckResponse:
    """Lets one request pass to its chain."""
    own = ExchangeContext(
        request_id=grant.request_id,
        tenant=grant.tenant,
        key_id=grant.key_id,
        user=grant.user,
        policy=PolicyRef(name=grant.policy, version=grant.policy_version),
        reservation_id=grant.reservation_id,
        traceparent=grant.traceparent,
        admitted_at_unix_micros=grant.admitted_at_unix_micros,
        tags=grant.tags,
        max_output_tokens=grant.max_output_tokens,
        paid_output_tokens=grant.paid_output_tokens,
    )
    context = base64.urlsafe_b64encode(plan.context + own.SerializeToString()).decode()
    response = CheckResponse()
    response.CopyFrom(plan.response)
    response.ok_response.headers.append(_header(EXCHANGE_HEADER, context))
    response.ok_response.response_headers_to_add.append(_header(REQUEST_ID_HEADER, grant.request_id))
    for name, value in grant.rates.items():
        response.ok_response.response_headers_to_add.append(_header(name, value))
    fields = response.dynamic_metadata.fields
    fields["request_id"].string_value = grant.request_id
    fields["tenant"].string_value = grant.tenant
    fields["key_id"].string_value = grant.key_id
    return response


def deny(problem: Problem, request_id: str) -> CheckResponse:
    """Ends one request with an error in the client's shape."""
    headers = dict(problem.headers)
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    if not problem.retriable:
        headers["x-should-retry"] = "false"
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return answer(problem.status, problem.body(), request_id, headers)


def answer(status: int, body: bytes, request_id: str, headers: Mapping[str, str] | None = None) -> CheckResponse:
    """Ends one request with a JSON body of the gateway's own."""
    fields = {"content-type": "application/json", REQUEST_ID_HEADER: request_id, **(headers or {})}
    response = DeniedHttpResponse(
        status=HttpStatus(code=status),
        headers=[_header(name, value) for name, value in fields.items()],
        body=body.decode(),
    )
    refusal = CheckResponse(status=Status(code=PERMISSION_DENIED), denied_response=response)
    refusal.dynamic_metadata.fields["request_id"].string_value = request_id
    return refusal


def _header(name: str, value: str) -> HeaderValueOption:
    return HeaderValueOption(header=HeaderValue(key=name, value=value), append_action=_OVERWRITE)


def _target(hop: Hop) -> Target:
    provider, price = hop.provider, hop.price
    return Target(
        provider=provider.name,
        model=hop.model,
        dialect=provider.dialect,
        base_path=provider.base_path,
        prices=Prices(
            version=price.version,
            input_pico_usd_per_token=price.input,
            cached_input_pico_usd_per_token=price.cached_input,
            output_pico_usd_per_token=price.output,
            reasoning_pico_usd_per_token=price.reasoning,
            request_pico_usd=price.request,
        ),
    )
