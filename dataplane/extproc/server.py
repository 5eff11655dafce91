"""The gRPC side of ext_proc: the only module that knows the transport.

Envoy's hop names its provider in the stream's initial metadata (`x-kagami-provider`), which is Envoy's configuration
and nothing a client can reach.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from dataplane.extproc.servicer import Services, StreamAborted, process

PROVIDER = "x-kagami-provider"
_SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
MAX_MESSAGE_BYTES = 64 << 20
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Envoy holds one connection per worker thread and multiplexes every stream on it.
    ("grpc.max_concurrent_streams", 65_536),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.so_reuseport", 0),
)


def add_to(server: grpc.aio.Server, services: Services) -> None:
    """Serve ext_proc on `server`."""

    async def stream(messages: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> None:
        metadata = dict(context.invocation_metadata() or ())
        try:
            await process(messages, context.write, str(metadata.get(PROVIDER, "")), services)
        except StreamAborted as aborted:
            await context.abort(grpc.StatusCode.ABORTED, str(aborted))

    handler = grpc.stream_stream_rpc_method_handler(
        stream,
        request_deserializer=pb.ProcessingRequest.FromString,
        response_serializer=pb.ProcessingResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {"Process": handler}),))
