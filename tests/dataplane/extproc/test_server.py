from __future__ import annotations

import grpc
import pytest
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc
from kagamirpc.server import Server
from support.exchange import request_headers, session

from dataplane.exchange.events import PolicyFound
from dataplane.extproc import server as extproc
from dataplane.extproc.pace import Pace
from dataplane.extproc.servicer import Services


class Nothing:
    async def find(self, name, version):
        return PolicyFound(None)

    def append(self, entry):
        raise OSError

    def release(self, seq):
        pass


@pytest.fixture
async def stub(tmp_path):
    services = Services(
        new_session=session,
        journal=Nothing(),
        policies=Nothing(),
        now=lambda: 1,
        report=lambda error, rid: None,
        pace=Pace(),
    )
    server = Server(
        extproc.methods(services), max_message_bytes=extproc.MAX_MESSAGE_BYTES, on_error=lambda what, error: None
    )
    address = f"unix:{tmp_path}/s"
    await server.start(address)
    async with grpc.aio.insecure_channel(address) as channel:
        yield external_processor_pb2_grpc.ExternalProcessorStub(channel)
    await server.stop(0)


def head(event):
    return pb.ProcessingRequest(
        request_headers=pb.HttpHeaders(
            headers=HeaderMap(headers=[HeaderValue(key=k, raw_value=v) for k, v in event.headers.items()])
        )
    )


async def test_the_hop_names_its_provider_in_the_metadata(stub):
    for provider, code in (("a", "redaction_unavailable"), ("b", "gateway_error"), ("", "gateway_error")):
        call = stub.Process(metadata=(("x-kagami-provider", provider),))
        await call.write(head(request_headers()))
        assert (await call.read()).HasField("request_headers")
        reply = await call.read()
        assert code.encode() in reply.immediate_response.body
        await call.done_writing()


async def test_a_message_out_of_order_ends_the_stream_with_an_error(stub):
    call = stub.Process(metadata=(("x-kagami-provider", "a"),))
    await call.write(pb.ProcessingRequest(response_body=pb.HttpBody(body=b"x")))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    # The transport resets the stream behind its status; which of the two a client reports is a race.
    assert caught.value.code() in (grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED)
