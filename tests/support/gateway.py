"""Small but real neighbours for Envoy: an authz, an ext_proc, providers over HTTP/1.1, and the ADS under test.

Everything listens on unix sockets or loopback ports and speaks the real protocols. What the neighbours do is chosen
per request, by headers the test sends (`x-test-chain`, `x-test-authz`, `x-test-proc`) or by `Provider.behaviour`.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import ProcessingMode
from envoy.service.auth.v3 import external_auth_pb2, external_auth_pb2_grpc
from envoy.service.ext_proc.v3 import external_processor_pb2, external_processor_pb2_grpc
from google.protobuf import struct_pb2
from google.rpc import status_pb2
from grpc_health.v1 import health, health_pb2_grpc
from kagamipb.exchange.v1.exchange_pb2 import Dialect
from support.envoy import Envoy

from controlplane.domain.snapshot import Provider as ProviderConfig
from controlplane.domain.snapshot import Snapshot
from controlplane.xds.bootstrap import render_bootstrap, template
from controlplane.xds.gateway import Endpoint, GatewaySettings
from controlplane.xds.secrets import SecretReader
from controlplane.xds.servicer import Xds

Headers = dict[str, str]
_OPTIONS = (("grpc.max_receive_message_length", 64 << 20), ("grpc.so_reuseport", 0))
_ALLOWED = frozenset({":method", ":path", ":scheme", ":authority", "content-type", "content-length", "accept"})


class Authz(external_auth_pb2_grpc.AuthorizationServicer):
    """Allows everything along `x-test-chain`, as far as Envoy says that those providers are live."""

    def __init__(self) -> None:
        self.seen: list[Headers] = []
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.chosen: list[list[str]] = []
        self.ready, self.turned_away = True, 0

    async def Check(self, request: Any, context: Any) -> Any:
        if not self.ready:
            self.turned_away += 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not ready")
        http = request.attributes.request.http
        self.seen.append(dict(http.headers))
        self.paths.append(http.path)
        self.bodies.append(http.raw_body)
        live = request.attributes.context_extensions.get("kagami_providers", "")
        if http.headers.get("x-envoy-auth-partial-body") == "true":
            return self._deny(413, "request_too_large")
        if http.headers.get("x-test-authz") == "deny":
            return self._deny(429, "insufficient_quota")
        if http.headers.get("x-test-authz") == "hang":
            await asyncio.sleep(60)
        chain = [name for name in http.headers.get("x-test-chain", "a").split(",") if name in live.split(",")]
        self.chosen.append(chain)
        return self._allow(chain, http.headers.get("x-test-metadata") != "none")

    def _deny(self, status: int, code: str) -> Any:
        denied = external_auth_pb2.DeniedHttpResponse(body=f'{{"error":{{"code":"{code}"}}}}')
        denied.status.code = status
        for name, value in (("content-type", "application/json"), ("x-kagami-request-id", "r-1"), ("retry-after", "7")):
            denied.headers.add(header=base_pb2.HeaderValue(key=name, value=value))
        return external_auth_pb2.CheckResponse(
            status=status_pb2.Status(code=7), denied_response=denied, dynamic_metadata=self._metadata([])
        )

    def _metadata(self, chain: Sequence[str]) -> Any:
        metadata = struct_pb2.Struct()
        groups = [
            {"name": str(i), "clusters": [{"cluster_name": f"hop_{name}", "weight": 1}]} for i, name in enumerate(chain)
        ]
        metadata.update({"request_id": "r-1", "tenant": "acme", "key_id": "k-1"})
        if groups:
            metadata.update({"priority_groups": groups})
        return metadata

    def _allow(self, chain: Sequence[str], decided: bool) -> Any:
        ok = external_auth_pb2.OkHttpResponse(headers_to_remove=["authorization", "x-api-key"])
        overwrite = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        for name, value in (
            ("x-kagami-exchange", ",".join(chain)),
            ("x-envoy-max-retries", str(max(len(chain) - 1, 0))),
        ):
            ok.headers.add(header=base_pb2.HeaderValue(key=name, value=value), append_action=overwrite)
        ok.response_headers_to_add.add(
            header=base_pb2.HeaderValue(key="x-kagami-request-id", value="r-1"), append_action=overwrite
        )
        metadata = self._metadata(chain) if decided else None
        return external_auth_pb2.CheckResponse(status=status_pb2.Status(), ok_response=ok, dynamic_metadata=metadata)


@dataclass
class Exchange:
    """What one ext_proc stream saw."""

    provider: str
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    status: str = ""
    details: str = ""
    response: bytes = b""
    trailers: bool = False
    ended: str = ""


class Processor(external_processor_pb2_grpc.ExternalProcessorServicer):
    """Passes what is allowed, marks failures of all but the last of the chain as worth a retry."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.ready, self.turned_away = True, 0

    async def Process(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        if not self.ready:
            self.turned_away += 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not ready")
        metadata = dict(context.invocation_metadata())
        exchange = Exchange(str(metadata.get("x-kagami-provider", "")))
        self.exchanges.append(exchange)
        try:
            async for message in requests:
                reply = await self._reply(exchange, message, context)
                if reply is not None:
                    yield reply
            exchange.ended = "end of stream"
        except asyncio.CancelledError:
            exchange.ended = "cancelled"
            raise

    async def _reply(self, exchange: Exchange, message: Any, context: Any) -> Any:
        kind = message.WhichOneof("request")
        reply = external_processor_pb2.ProcessingResponse()
        if kind == "request_headers":
            exchange.headers = {h.key: h.raw_value.decode() for h in message.request_headers.headers.headers}
            return await self._request(exchange, reply, context)
        if kind == "request_body":
            exchange.body = message.request_body.body
            reply.request_body.SetInParent()
        elif kind == "response_headers":
            self._response(exchange, message, reply)
        elif kind == "response_body":
            exchange.response += message.response_body.body
            reply.response_body.SetInParent()
        else:
            exchange.trailers = True
            reply.response_trailers.SetInParent()
        return reply

    async def _request(self, exchange: Exchange, reply: Any, context: Any) -> Any:
        mode = exchange.headers.get("x-test-proc", "")
        if mode.startswith("refuse:"):
            reply.immediate_response.status.code = int(mode.removeprefix("refuse:"))
            reply.immediate_response.body = b'{"error":{"code":"ours"}}'
            reply.immediate_response.details = "kagami_refused"
            return reply
        if mode == "abort" or (mode == "unavailable-first" and exchange.headers["x-envoy-attempt-count"] == "1"):
            await context.abort(grpc.StatusCode.INTERNAL if mode == "abort" else grpc.StatusCode.UNAVAILABLE, "no")
        if mode == "hang":
            await asyncio.sleep(60)
        mutation = reply.request_headers.response.header_mutation
        mutation.remove_headers.extend(name for name in exchange.headers if name not in _ALLOWED)
        return reply

    def _response(self, exchange: Exchange, message: Any, reply: Any) -> None:
        headers = {h.key: h.raw_value.decode() for h in message.response_headers.headers.headers}
        exchange.status = headers[":status"]
        attributes = message.attributes["envoy.filters.http.ext_proc"].fields
        exchange.details = attributes["response.code_details"].string_value if attributes else ""
        reply.response_headers.SetInParent()
        if exchange.headers.get("x-test-proc") == "whole":
            buffered, send = ProcessingMode.BUFFERED, ProcessingMode.SEND
            reply.mode_override.CopyFrom(
                ProcessingMode(
                    request_header_mode=send, response_header_mode=send, request_body_mode=buffered,
                    response_body_mode=buffered, response_trailer_mode=send,
                )
            )  # fmt: skip
        if exchange.headers.get("x-test-proc") == "abort-response":
            raise RuntimeError("the test asked for it")
        chain = exchange.headers.get("x-kagami-exchange", "").split(",")
        last = int(exchange.headers["x-envoy-attempt-count"]) >= len(chain)
        mutation = reply.response_headers.response.header_mutation
        if (int(exchange.status) >= 500 or exchange.status == "429") and not last:
            mutation.set_headers.add(header=base_pb2.HeaderValue(key="x-kagami-retry", raw_value=b"1"))


@dataclass
class Received:
    """One request as a provider saw it."""

    line: str
    headers: Headers
    body: bytes
    cut_after: float | None = None
    """Seconds until the connection went away while answering."""


class Provider:
    """An HTTP/1.1 server. `behaviour`: "ok", a status code, "hang", "reset", "forge", "large:<bytes>", "stream:<chunks>:<seconds between>"."""

    def __init__(self, name: str, behaviour: str = "ok") -> None:
        self.name = name
        self.behaviour = behaviour
        self.received: list[Received] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, port: int = 0, ssl: Any = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=ssl)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (head := await reader.readuntil(b"\r\n\r\n")) and await self._exchange(head, reader, writer):
                pass
        self._open.discard(writer)
        writer.close()

    async def _exchange(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line, *fields = head.decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in fields)}
        body = await self._body(headers, reader)
        received = Received(line, headers, body)
        self.received.append(received)
        kind, *arguments = self.behaviour.split(":")
        if kind == "large":
            text = b"z" * int(arguments[0])
            writer.write(
                b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text) + text
            )
            await writer.drain()
            return True
        if kind == "hang":
            await asyncio.sleep(3600)
        if kind == "reset":
            writer.transport.abort()
            return False
        if kind == "stream":
            return await self._stream(received, writer, int(arguments[0]), float(arguments[1]))
        status = int(kind) if kind.isdigit() else 200
        text = f'{{"from":"{self.name}"}}'.encode()
        extra = "x-provider-secret: internal\r\nx-kagami-retry: 1\r\n" if kind == "forge" else ""
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}content-length: {len(text)}\r\n\r\n".encode()
            + text
        )
        await writer.drain()
        return True

    async def _body(self, headers: Headers, reader: asyncio.StreamReader) -> bytes:
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int((await reader.readline()).strip(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        return body

    async def _stream(self, received: Received, writer: asyncio.StreamWriter, chunks: int, pause: float) -> bool:
        started = asyncio.get_running_loop().time()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(chunks):
            if writer.transport.is_closing():
                received.cut_after = asyncio.get_running_loop().time() - started
                return False
            text = f"data: {self.name} {number}\n\n".encode()
            writer.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
            await asyncio.sleep(pause)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def config(self, **changes: Any) -> ProviderConfig:
        """The provider as the control plane knows it."""
        base = ProviderConfig(
            name=self.name,
            dialect=Dialect.DIALECT_OPENAI_CHAT,
            tls=False,
            host="127.0.0.1",
            port=self.port,
            base_path="/v1",
        )
        return replace(base, **changes)


@dataclass
class Service:
    """One gRPC server process-in-miniature: health, and authz or ext_proc."""

    path: Path
    server: grpc.aio.Server

    @classmethod
    async def start(cls, path: Path, *add: Callable[[grpc.aio.Server], None]) -> Service:
        server = grpc.aio.server(options=_OPTIONS)
        health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
        for register in add:
            register(server)
        path.unlink(missing_ok=True)
        server.add_insecure_port(f"unix:{path}")
        await server.start()
        return cls(path, server)

    async def stop(self, grace: float | None = None) -> None:
        await self.server.stop(grace)


class Rig:
    """A running gateway: Envoy, ADS, `count` authz and ext_proc services each. Use `rig()`."""

    def __init__(self, directory: Path, count: int) -> None:
        self.directory = directory
        self.count = count
        self.authz = [Authz() for _ in range(count)]
        self.processors = [Processor() for _ in range(count)]
        self.services: dict[str, Service] = {}
        self.environment: dict[str, str] = {}
        self.envoy: Envoy | None = None
        self.xds: Xds | None = None
        self.base = ""
        self._snapshots: asyncio.Queue[Snapshot] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    @property
    def exchanges(self) -> list[Exchange]:
        return [exchange for processor in self.processors for exchange in processor.exchanges]

    @property
    def settings(self) -> GatewaySettings:
        return GatewaySettings(
            listen=Endpoint("127.0.0.1", 0),
            controlplane=tuple(Endpoint(path=str(self.directory / f"cp{i}.sock")) for i in range(self.count)),
            dataplane=tuple(Endpoint(path=str(self.directory / f"dp{i}.sock")) for i in range(self.count)),
            authz_timeout_ms=1_000,
            authz_try_ms=500,
            message_timeout_ms=2_000,
        )

    async def start(self, snapshot: Snapshot, *, grace: float = 0.3, wait: bool = True, ads: int = 1) -> None:
        self.xds = Xds(self.settings, SecretReader(self.environment), grace=grace, poll=0.05)
        for index in range(self.count):
            await self.start_dataplane(index)
            await self.start_controlplane(index)
        self._running = asyncio.create_task(self.xds.run(self._published()))
        self.publish(snapshot)
        text = render_bootstrap(
            template(), node="envoy-1", controlplane=self.settings.controlplane[:ads], admin=Endpoint("127.0.0.1", 0)
        )
        self.envoy = await asyncio.to_thread(Envoy.start, text, self.directory / "envoy", concurrency=2)
        if wait:
            self.base = f"http://127.0.0.1:{await asyncio.to_thread(self.envoy.port, 'gateway')}"
            await self.acknowledged(snapshot.revision)

    def publish(self, snapshot: Snapshot) -> None:
        """As the control plane's snapshot holder does when configuration changed."""
        self._snapshots.put_nowait(snapshot)

    async def _published(self) -> AsyncIterator[Snapshot]:
        while True:
            yield await self._snapshots.get()

    async def start_controlplane(self, index: int) -> None:
        def authz(server: grpc.aio.Server) -> None:
            external_auth_pb2_grpc.add_AuthorizationServicer_to_server(self.authz[index], server)

        assert self.xds is not None
        self.services[f"cp{index}"] = await Service.start(self.directory / f"cp{index}.sock", authz, self.xds.add_to)

    async def start_dataplane(self, index: int) -> None:
        def processor(server: grpc.aio.Server) -> None:
            external_processor_pb2_grpc.add_ExternalProcessorServicer_to_server(self.processors[index], server)

        self.services[f"dp{index}"] = await Service.start(self.directory / f"dp{index}.sock", processor)

    async def acknowledged(self, revision: str, seconds: float = 10) -> None:
        """Wait until Envoy holds a revision completely."""
        assert self.xds is not None
        deadline = asyncio.get_running_loop().time() + seconds
        while self.xds.acknowledged().get("envoy-1") != revision:
            assert asyncio.get_running_loop().time() < deadline, self.envoy and self.envoy.log()[-3000:]
            await asyncio.sleep(0.002)

    async def stop(self) -> None:
        if self.envoy is not None:
            await asyncio.to_thread(self.envoy.stop)
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for service in self.services.values():
            await service.stop()


def snapshot(revision: str, *providers: ProviderConfig) -> Snapshot:
    """A snapshot with nothing but providers."""
    return Snapshot(revision=revision, providers={provider.name: provider for provider in providers})


@contextlib.asynccontextmanager
async def providers(*names: str) -> AsyncIterator[list[Provider]]:
    """Started providers, stopped at the end of the block."""
    started = [Provider(name) for name in names]
    for provider in started:
        await provider.start()
    try:
        yield started
    finally:
        for provider in started:
            await provider.stop()


@contextlib.asynccontextmanager
async def rig(count: int = 1) -> AsyncIterator[Rig]:
    """A rig in a directory short enough for unix sockets; call `start` on it."""
    with tempfile.TemporaryDirectory(prefix="kg", dir="/tmp") as directory:
        made = Rig(Path(directory), count)
        try:
            yield made
        finally:
            await made.stop()
