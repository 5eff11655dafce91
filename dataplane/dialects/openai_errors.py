"""Errors in OpenAI's shape: ours written, a provider's read.

Source: OpenAI API reference, "Error codes". A provider's own words never reach a client, for they may quote the
prompt as the provider saw it; of a refusal only a code that is on the list below and the name of a field pass.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from dataplane.errors import GatewayError, InvalidRequest, ProviderError, RequestTooLarge

_TYPES = {400: "invalid_request_error", 403: "invalid_request_error", 413: "invalid_request_error", 429: "requests"}
_PARAM = re.compile(r"[a-z_]{1,32}(\[[0-9]{1,5}\])?(\.[a-z_]{1,32}(\[[0-9]{1,5}\])?){0,4}", re.ASCII)
_REASONS = {
    "context_length_exceeded": "The request is longer than the model's context.",
    "string_above_max_length": "A text in the request is longer than the provider allows.",
    "array_above_max_length": "A list in the request is longer than the provider allows.",
    "content_policy_violation": "The provider's content policy refuses the request.",
    "content_filter": "The provider's content filter refuses the request.",
    "invalid_prompt": "The provider refuses the prompt.",
    "invalid_image_url": "The provider cannot read an image of the request.",
    "invalid_image_format": "The provider cannot read an image of the request.",
    "unsupported_parameter": "The model does not support a parameter of the request.",
    "unsupported_value": "The model does not support a value in the request.",
    "invalid_type": "A value in the request has the wrong type.",
    "invalid_value": "A value in the request is not allowed.",
    "missing_required_parameter": "A required parameter is missing.",
    "unknown_parameter": "The provider does not know a parameter of the request.",
    "invalid_function_parameters": "The parameters of a function are not a valid schema.",
}


def error_object(error: GatewayError) -> dict[str, Any]:
    """`{"error": {…}}` as OpenAI's clients expect it."""
    kind = _TYPES.get(error.http_status, "server_error")
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


def refusal(status: int, body: bytes) -> GatewayError:
    """The error behind a provider's 400, 413 or 422; any other status is a ProviderError."""
    if status == 413:
        return RequestTooLarge("The request is larger than the provider accepts.")
    if status not in (400, 422):
        return ProviderError("The provider failed.")
    code, param = _code_and_param(body)
    message = _REASONS.get(code or "", "The provider does not accept the request.")
    return InvalidRequest(message, param=param, code=code if code in _REASONS else None)


def _code_and_param(body: bytes) -> tuple[str | None, str | None]:
    try:
        error = orjson.loads(body)["error"]
        code, param = error.get("code"), error.get("param")
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return None, None
    known = isinstance(param, str) and _PARAM.fullmatch(param) is not None
    return code if isinstance(code, str) else None, param if known else None
