"""Envoy's messages to events, effects to Envoy's messages; nothing else knows Envoy's classes.

Source: envoy/service/ext_proc/v3/external_processor.proto of Envoy 1.40. In ext_proc header values travel as
`raw_value`. Each message gets exactly one reply; a piece that is held back is answered with `clear_body`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import ProcessingMode
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from envoy.type.v3.http_status_pb2 import HttpStatus
from google.protobuf.duration_pb2 import Duration

from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev

ProcessingRequest = Any
ProcessingResponse = Any

_NAMESPACE, _DETAILS, _FROM_PROVIDER = "envoy.filters.http.ext_proc", "response.code_details", "via_upstream"
_OVERWRITE = HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
CONTINUE = pb.ProcessingResponse(request_headers=pb.HeadersResponse())
_CLEAR = pb.ProcessingResponse(
    response_body=pb.BodyResponse(response=pb.CommonResponse(body_mutation=pb.BodyMutation(clear_body=True)))
)
# Everything but the body mode as the filter has it; a whole answer comes in one message and holds its headers.
_WHOLE = ProcessingMode(
    request_header_mode=ProcessingMode.SEND,
    response_header_mode=ProcessingMode.SEND,
    request_body_mode=ProcessingMode.BUFFERED,
    response_body_mode=ProcessingMode.BUFFERED,
    response_trailer_mode=ProcessingMode.SEND,
)


class UnexpectedMessage(Exception):  # noqa: N818 -- Envoy's configuration and this build disagree
    """A message that the filter's configuration should not produce."""


def event(message: ProcessingRequest, provider: str) -> ev.Event:
    """The event behind a message. Raises UnexpectedMessage."""
    match message.WhichOneof("request"):
        case "response_body":
            body = message.response_body
            return ev.ResponseBody(body.body, body.end_of_stream)
        case "request_headers":
            head = message.request_headers
            return ev.RequestHeaders(_headers(head), provider, head.end_of_stream)
        case "request_body":
            if not message.request_body.end_of_stream:
                raise UnexpectedMessage("a request body in parts: request_body_mode must be BUFFERED")
            return ev.RequestBody(message.request_body.body)
        case "response_headers":
            head = message.response_headers
            return ev.ResponseHeaders(_headers(head), head.end_of_stream, _local(message))
        case "response_trailers":
            return ev.ResponseTrailers(tuple(header.key for header in message.response_trailers.trailers.headers))
        case other:
            raise UnexpectedMessage(f"{other}: the processing mode must not send it")


def awaits_body(message: ProcessingRequest) -> bool:
    """Whether these are a request's headers that a body follows."""
    return message.WhichOneof("request") == "request_headers" and not message.request_headers.end_of_stream


def _headers(head: Any) -> dict[str, bytes]:
    """Of a repeated header the last value counts: none that is repeated means anything to us."""
    return {header.key: header.raw_value for header in head.headers.headers}


def _local(message: ProcessingRequest) -> str:
    """Details of an answer that Envoy made itself; needs `response.code_details` among the response attributes."""
    attributes = message.attributes.get(_NAMESPACE)
    if attributes is None or _DETAILS not in attributes.fields:
        return ""
    details: str = attributes.fields[_DETAILS].string_value
    return "" if details == _FROM_PROVIDER else details


Sendable = ef.SendRequest | ef.SendHeaders | ef.SendBody | ef.DropTrailers | ef.Reply


def reply(effect: Sendable) -> ProcessingResponse:
    """The message for an effect that Envoy waits for."""
    match effect:
        case ef.SendBody():
            return _body(effect)
        case ef.SendRequest():
            common = pb.CommonResponse(
                header_mutation=_mutation(effect.set_headers, effect.remove_headers),
                body_mutation=pb.BodyMutation(body=effect.body),
            )
            return pb.ProcessingResponse(request_body=pb.BodyResponse(response=common))
        case ef.SendHeaders():
            common = pb.CommonResponse(header_mutation=_mutation(effect.set_headers, effect.remove_headers))
            head = pb.HeadersResponse(response=common)
            return pb.ProcessingResponse(response_headers=head, mode_override=_WHOLE if effect.whole else None)
        case ef.DropTrailers():
            trailers = pb.TrailersResponse(header_mutation=_mutation({}, effect.names))
            return pb.ProcessingResponse(response_trailers=trailers)
        case ef.Reply():
            return _immediate(effect)


def extend_timeout(seconds: float) -> ProcessingResponse:
    """Asks Envoy to wait longer for the reply to its last message, up to the filter's max_message_timeout."""
    whole = int(seconds)
    return pb.ProcessingResponse(
        override_message_timeout=Duration(seconds=whole, nanos=int((seconds - whole) * 1_000_000_000))
    )


def _body(effect: ef.SendBody) -> ProcessingResponse:
    if not effect.data:
        return _CLEAR
    mutation = None
    if effect.set_headers:
        # A whole answer has a length; for the pieces of a stream Envoy has removed it.
        mutation = _mutation({**effect.set_headers, "content-length": str(len(effect.data))}, ())
    common = pb.CommonResponse(body_mutation=pb.BodyMutation(body=effect.data), header_mutation=mutation)
    return pb.ProcessingResponse(response_body=pb.BodyResponse(response=common))


def _immediate(effect: ef.Reply) -> ProcessingResponse:
    return pb.ProcessingResponse(
        immediate_response=pb.ImmediateResponse(
            status=HttpStatus(code=effect.status),
            headers=_mutation(effect.headers, ()),
            body=effect.body,
            details=effect.details,
        )
    )


def _mutation(made: Mapping[str, str], removed: Iterable[str]) -> Any:
    options = [
        HeaderValueOption(header=HeaderValue(key=key, raw_value=value.encode()), append_action=_OVERWRITE)
        for key, value in made.items()
    ]
    return pb.HeaderMutation(set_headers=options, remove_headers=removed)
