"""What the transport of one ext_proc exchange costs: grpc.aio against kagamirpc, same messages, same servicer.

usage: python -m bench.rpc [--calls N]

A grpc.aio client in another process plays Envoy (five messages per exchange, one at a time, as ext_proc does with a
buffered request and a streamed answer); the figure is the server's own CPU time per exchange.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import kagamirpc.server as rpc
import uvloop
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

METHOD = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
BODY = b"x" * 1024


def requests() -> list[pb.ProcessingRequest]:
    """The messages of one exchange."""
    return [
        pb.ProcessingRequest(request_headers=pb.HttpHeaders()),
        pb.ProcessingRequest(request_body=pb.HttpBody(body=BODY, end_of_stream=True)),
        pb.ProcessingRequest(response_headers=pb.HttpHeaders()),
        pb.ProcessingRequest(response_body=pb.HttpBody(body=BODY)),
        pb.ProcessingRequest(response_body=pb.HttpBody(end_of_stream=True)),
    ]


def reply(data: bytes) -> bytes:
    """The cheapest honest answer: continue."""
    kind = pb.ProcessingRequest.FromString(data).WhichOneof("request")
    part: Any = pb.HeadersResponse() if kind in ("request_headers", "response_headers") else pb.BodyResponse()
    message: Any = pb.ProcessingResponse(**{kind: part})
    return bytes(message.SerializeToString())


async def _serve_grpc(address: str) -> None:
    async def process(messages: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        async for message in messages:
            yield reply(message)

    server: Any = grpc.aio.server()
    handlers = {"Process": grpc.stream_stream_rpc_method_handler(process)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(METHOD.split("/")[1], handlers),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


async def _serve_lean(address: str) -> None:
    async def process(call: rpc.Call) -> None:
        while (message := await call.receive()) is not None:
            call.send(reply(message))

    server = rpc.Server(
        {METHOD.encode(): rpc.Bidirectional(process)}, max_message_bytes=1 << 24, on_error=lambda _w, e: print(repr(e))
    )
    await server.start(address)
    await asyncio.Event().wait()


def _server(kind: str, address: str) -> None:
    uvloop.run(_serve_grpc(address) if kind == "grpc.aio" else _serve_lean(address))


async def _client(address: str, calls: int, concurrency: int) -> None:
    # The published stubs know only calls with serialisers; ours carries bytes.
    aio: Any = grpc.aio
    async with aio.insecure_channel(address) as channel:
        process = channel.stream_stream(METHOD)
        left = iter(range(calls))
        messages = [message.SerializeToString() for message in requests()]

        async def slot() -> None:
            for _ in left:
                call = process()
                for message in messages:
                    await call.write(message)
                    assert await call.read()
                await call.done_writing()
                assert await call.read() is aio.EOF

        await asyncio.gather(*(slot() for _ in range(concurrency)))


def cpu_seconds(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=3000)
    calls = parser.parse_args().calls
    results = {}
    for kind in ("grpc.aio", "kagamirpc"):
        with tempfile.TemporaryDirectory() as folder:
            address = f"unix:{Path(folder) / 's'}"
            process = multiprocessing.get_context("spawn").Process(target=_server, args=(kind, address), daemon=True)
            process.start()
            while not (Path(folder) / "s").exists():
                time.sleep(0.05)
            asyncio.run(_client(address, 200, 8))
            assert process.pid is not None
            before = cpu_seconds(process.pid)
            asyncio.run(_client(address, calls, 8))
            results[kind] = (cpu_seconds(process.pid) - before) / calls * 1e6
            process.terminate()
            process.join()
            print(f"{kind:10} {results[kind]:7.0f} µs CPU per exchange of five messages")
    print(f"ratio      {results['grpc.aio'] / results['kagamirpc']:7.1f}")


if __name__ == "__main__":
    main()
