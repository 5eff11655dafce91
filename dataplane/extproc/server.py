"""The gRPC side of ext_proc: the only module that knows the transport.

Served by kagamirpc, not grpc.aio: one exchange is five messages, and their transport would cost more than the rest of
it together (`python -m bench.rpc`). Envoy's hop names its provider in the stream's initial metadata
(`x-kagami-provider`), which is Envoy's configuration and nothing a client can reach.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from kagamirpc.server import Bidirectional, Call, CallAbortedError, Methods

from dataplane.extproc.servicer import Services, StreamAborted, process

PROVIDER = b"x-kagami-provider"
METHOD = b"/envoy.service.ext_proc.v3.ExternalProcessor/Process"
MAX_MESSAGE_BYTES = 64 << 20


def methods(services: Services) -> Methods:
    """What a worker's server serves Envoy."""

    async def stream(call: Call) -> None:
        async def send(reply: pb.ProcessingResponse) -> None:
            call.send(reply.SerializeToString())

        try:
            provider = (call.header(PROVIDER) or b"").decode("ascii", "replace")
            await process(_messages(call), send, provider, services)
        except StreamAborted:
            raise CallAbortedError from None

    return {METHOD: Bidirectional(stream)}


async def _messages(call: Call) -> AsyncIterator[pb.ProcessingRequest]:
    while (message := await call.receive()) is not None:
        yield pb.ProcessingRequest.FromString(message)
