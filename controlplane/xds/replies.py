"""Envoy's own answers in the client's shape: OpenAI error JSON with the gateway's stable codes.

A mapper is chosen by Envoy's response code details (a stable, unforgeable string), first match wins. Replies authz
wrote itself are left alone. Request ids are added from authz's dynamic metadata when authz answered at all.
Details: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/response_code_details
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLogFilter, ExtensionFilter
from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)

from controlplane.xds.headers import REQUEST_ID, RETRY
from controlplane.xds.packing import packed

AUTHZ_NAMESPACE = "envoy.filters.http.ext_authz"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client reads when `when` (CEL over Envoy's attributes) holds. `status` 0 keeps Envoy's."""

    when: str
    status: int
    code: str
    message: str
    retry: bool = False
    """Ask the outer router for the next provider."""


def _details(*prefixes: str) -> str:
    return " || ".join(f"response.code_details.startsWith('{prefix}')" for prefix in prefixes)


OUTER = (
    Reply(_details("ext_authz_error"), 503, "authorization_unavailable",
          "The gateway could not check this request and refused it. Try again shortly."),
    Reply("response.code == 413", 413, "request_too_large", "The request body is larger than this gateway accepts."),
    Reply("response.code == 431", 431, "request_headers_too_large", "The request headers are too large."),
    Reply("response.code == 504 || " + _details("upstream_response_timeout", "upstream_per_try_timeout"), 504,
          "provider_timeout", "The model provider did not answer in time."),
    Reply("response.code == 408", 408, "request_timeout", "The request was not received in time."),
    Reply(_details("cluster_not_found", "no_healthy_upstream", "upstream_reset_before_response_started{connection",
                   "upstream_reset_before_response_started{remote_connection"), 503,
          "no_provider_available", "No model provider is available for this request. Try again shortly."),
    Reply(_details("overload", "upstream_reset_before_response_started{overflow"), 503, "gateway_overloaded",
          "The gateway is overloaded. Try again shortly."),
    Reply(_details("upstream_"), 502, "provider_error", "The model provider failed to answer."),
    Reply("response.code >= 500", 0, "gateway_error", "The gateway could not handle this request."),
    Reply("response.code >= 400", 0, "invalid_request", "The request is not acceptable HTTP for this gateway."),
)  # fmt: skip
"""Outer listener, in order."""

_UNREDACTED = "The redaction service is unavailable; nothing unredacted left the gateway."
HOP = (
    # UNAVAILABLE and CANCELLED: the process is gone or going, not at odds with the request.
    Reply(_details("ext_proc_error_gRPC_error_14", "ext_proc_error_gRPC_error_1{"), 503, "redaction_unavailable",
          _UNREDACTED, retry=True),
    Reply(_details("response_payload_too_large"), 502, "provider_error",
          "The model provider's answer is larger than this gateway accepts."),
    Reply(_details("ext_proc"), 503, "redaction_unavailable", _UNREDACTED),
)  # fmt: skip
"""Hop listeners: only what the data plane cannot answer itself."""


def error_body(status: int, code: str, message: str) -> str:
    """An OpenAI error object; `type` follows https://platform.openai.com/docs/guides/error-codes."""
    kind = "invalid_request_error" if 400 <= status < 500 else "server_error"
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})


def local_replies(replies: tuple[Reply, ...], *exempt: str) -> LocalReplyConfig:
    """Mappers for a connection manager. Details starting with an exempt prefix keep their own status and body."""
    kept = [ResponseMapper(filter=_when(_details(prefix))) for prefix in exempt]
    return LocalReplyConfig(mappers=kept + [_mapper(reply) for reply in replies])


def _mapper(reply: Reply) -> ResponseMapper:
    text = error_body(reply.status or (400 if "400" in reply.when else 500), reply.code, reply.message)
    added = [_header(REQUEST_ID, f"%DYNAMIC_METADATA({AUTHZ_NAMESPACE}:request_id)%")]
    if reply.retry:
        added.append(_header(RETRY, "1"))
    return ResponseMapper(
        filter=_when(reply.when),
        status_code=reply.status or None,
        body_format_override=SubstitutionFormatString(
            text_format_source=DataSource(inline_string=text + "\n"), content_type=_JSON
        ),
        headers_to_add=added,
    )


def _header(name: str, value: str) -> HeaderValueOption:
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value),
        append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    )


def _when(expression: str) -> AccessLogFilter:
    cel = ExpressionFilter(expression=expression)
    return AccessLogFilter(
        extension_filter=ExtensionFilter(name="envoy.access_loggers.extension_filters.cel", typed_config=packed(cel))
    )
