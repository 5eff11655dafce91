from __future__ import annotations

import pytest
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import ProcessingMode
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from google.protobuf.struct_pb2 import Struct, Value

from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.extproc import wire


def head(end=False, **headers):
    values = [HeaderValue(key=key, raw_value=value) for key, value in headers.items()]
    return pb.HttpHeaders(headers=HeaderMap(headers=values), end_of_stream=end)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (
            pb.ProcessingRequest(request_headers=head(a=b"\xff", end=True)),
            ev.RequestHeaders({"a": b"\xff"}, "p", end=True),
        ),
        (pb.ProcessingRequest(request_body=pb.HttpBody(body=b"x", end_of_stream=True)), ev.RequestBody(b"x")),
        (pb.ProcessingRequest(response_headers=head(a=b"1")), ev.ResponseHeaders({"a": b"1"}, end=False)),
        (pb.ProcessingRequest(response_body=pb.HttpBody(body=b"x")), ev.ResponseBody(b"x", end=False)),
        (pb.ProcessingRequest(response_body=pb.HttpBody(end_of_stream=True)), ev.ResponseBody(b"", end=True)),
        (pb.ProcessingRequest(response_trailers=pb.HttpTrailers()), ev.ResponseTrailers()),
    ],
)
def test_each_message_is_an_event(message, event):
    assert wire.event(message, "p") == event


@pytest.mark.parametrize(
    ("details", "local"), [("via_upstream", ""), ("upstream_per_try_timeout", "upstream_per_try_timeout")]
)
def test_an_answer_of_envoys_own_is_known_by_its_details(details, local):
    attributes = Struct(fields={"response.code_details": Value(string_value=details)})
    message = pb.ProcessingRequest(response_headers=head(), attributes={"envoy.filters.http.ext_proc": attributes})
    assert wire.event(message, "p").local == local


@pytest.mark.parametrize(
    "message",
    [
        pb.ProcessingRequest(),
        pb.ProcessingRequest(request_trailers=pb.HttpTrailers()),
        pb.ProcessingRequest(request_body=pb.HttpBody(body=b"x")),
    ],
)
def test_a_message_the_configuration_should_not_produce_is_refused(message):
    with pytest.raises(wire.UnexpectedMessage):
        wire.event(message, "p")


def set_headers(mutation):
    return {option.header.key: option.header.raw_value for option in mutation.set_headers}


def test_a_request_goes_out_with_headers_and_body_at_once():
    reply = wire.reply(ef.SendRequest({":path": "/v1", "content-length": "3"}, ("cookie",), b"abc"))
    common = reply.request_body.response
    assert common.body_mutation.body == b"abc"
    assert set_headers(common.header_mutation) == {":path": b"/v1", "content-length": b"3"}
    assert list(common.header_mutation.remove_headers) == ["cookie"]
    assert all(
        option.append_action == option.OVERWRITE_IF_EXISTS_OR_ADD for option in common.header_mutation.set_headers
    )


def test_a_whole_answer_is_asked_for_in_one_message_and_a_stream_is_not():
    assert wire.reply(ef.SendHeaders({}, (), whole=True)).mode_override.response_body_mode == ProcessingMode.BUFFERED
    assert not wire.reply(ef.SendHeaders({}, (), whole=False)).HasField("mode_override")


def test_a_piece_that_is_held_back_is_cleared_and_never_left_as_it_was():
    assert wire.reply(ef.SendBody(b"")).response_body.response.body_mutation.clear_body
    assert wire.reply(ef.SendBody(b"x")).response_body.response.body_mutation.body == b"x"


def test_headers_of_a_whole_body_come_with_its_length():
    common = wire.reply(ef.SendBody(b"abc", {"x-kagami-audit": "seq=1"})).response_body.response
    assert set_headers(common.header_mutation) == {"x-kagami-audit": b"seq=1", "content-length": b"3"}


def test_an_immediate_reply_has_status_headers_body_and_details():
    reply = wire.reply(ef.Reply(403, {"a": "b"}, b"{}", "kagami_x")).immediate_response
    assert (reply.status.code, reply.body, reply.details) == (403, b"{}", "kagami_x")
    assert set_headers(reply.headers) == {"a": b"b"}


def test_waiting_and_trailers_change_nothing():
    assert wire.CONTINUE.WhichOneof("response") == "request_headers"
    assert wire.CONTINUE.request_headers == pb.HeadersResponse()
    assert wire.reply(ef.DropTrailers()).WhichOneof("response") == "response_trailers"


def test_more_time_is_asked_in_a_message_of_its_own():
    reply = wire.extend_timeout(1.5)
    assert (reply.override_message_timeout.seconds, reply.override_message_timeout.nanos) == (1, 500_000_000)
    assert reply.WhichOneof("response") is None


def test_every_trailer_of_a_response_is_removed():
    trailers = HeaderMap(headers=[HeaderValue(key=name, raw_value=b"x") for name in ("x-name", "grpc-status")])
    event = wire.event(pb.ProcessingRequest(response_trailers=pb.HttpTrailers(trailers=trailers)), "a")
    assert event == ev.ResponseTrailers(("x-name", "grpc-status"))
    reply = wire.reply(ef.DropTrailers(event.names))
    assert list(reply.response_trailers.header_mutation.remove_headers) == ["x-name", "grpc-status"]
