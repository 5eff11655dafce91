"""Listens for the simulated provider and gives each connection the protocol it speaks.

With TLS the protocol is what ALPN agreed on; in clear text a connection that opens with the HTTP/2 preface
(prior knowledge, RFC 9113 section 3.3) is HTTP/2, every other one HTTP/1.1.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from controlplane.simulator.exchange import Handler
from controlplane.simulator.http1 import Http1Protocol
from controlplane.simulator.http2 import Http2Protocol

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_BODY_BYTES = 64 << 20


class _Connection(asyncio.Protocol):
    """Learns the protocol from ALPN or the first bytes, then passes everything on to it."""

    def __init__(self, handler: Handler, connections: set[asyncio.BaseTransport]) -> None:
        self._handler, self._connections = handler, connections
        self._seen = b""
        self._chosen: Http1Protocol | Http2Protocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connections.add(transport)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self._choose(Http2Protocol if tls.selected_alpn_protocol() == "h2" else Http1Protocol)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._transport)
        if self._chosen is not None:
            self._chosen.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._chosen is not None:
            self._chosen.data_received(data)
            return
        self._seen += data
        if len(self._seen) >= len(_PREFACE) or not _PREFACE.startswith(self._seen):
            chosen = self._choose(Http2Protocol if self._seen.startswith(_PREFACE) else Http1Protocol)
            chosen.data_received(self._seen)

    def pause_writing(self) -> None:
        if self._chosen is not None:
            self._chosen.pause_writing()

    def resume_writing(self) -> None:
        if self._chosen is not None:
            self._chosen.resume_writing()

    def _choose(self, kind: type[Http1Protocol | Http2Protocol]) -> Http1Protocol | Http2Protocol:
        self._chosen = kind(self._handler, max_body_bytes=MAX_BODY_BYTES)
        self._chosen.connection_made(self._transport)
        return self._chosen


class Server:
    """A listening simulator, as `serve` returns it."""

    def __init__(self, server: asyncio.Server, connections: set[asyncio.BaseTransport]) -> None:
        self._server, self._connections = server, connections

    @property
    def port(self) -> int:
        """The port, useful when 0 was asked for."""
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        self._server.close()
        for transport in list(self._connections):
            transport.close()
        await asyncio.sleep(0)


async def serve(handler: Handler, host: str, port: int, tls: ssl.SSLContext | None = None) -> Server:
    """Listen. Raises OSError when the address cannot be bound."""
    connections: set[asyncio.BaseTransport] = set()
    loop = asyncio.get_running_loop()
    made = await loop.create_server(lambda: _Connection(handler, connections), host, port, ssl=tls, backlog=1_024)
    return Server(made, connections)


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Server-side TLS ≥ 1.2 with ALPN h2 and http/1.1. Raises OSError or ssl.SSLError for unusable files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
