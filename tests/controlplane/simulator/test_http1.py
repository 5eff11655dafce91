from __future__ import annotations

import asyncio

from controlplane.simulator.server import Server


async def talk(server: Server, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


async def test_pipelined_requests_are_answered_in_order_and_close_is_honoured(server: Server) -> None:
    first = b"GET /_sim/health HTTP/1.1\r\nhost: x\r\n\r\n"
    second = b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answer = await talk(server, first + second)
    assert answer.index(b"{}") < answer.index(b'"object":"list"')


async def test_what_is_not_http_is_refused(server: Server) -> None:
    assert (await talk(server, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_an_endless_header_block_is_refused(server: Server) -> None:
    data = b"GET / HTTP/1.1\r\n" + b"x: " + b"a" * 1_000 + b"\r\n" * 1
    data += (b"y: " + b"b" * 1_000 + b"\r\n") * 80
    assert (await talk(server, data)).startswith(b"HTTP/1.1 400 ")


async def test_a_request_arriving_byte_by_byte_is_understood(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for byte in b"GET /_sim/health HTTP/1.0\r\n\r\n":
        writer.write(bytes((byte,)))
        await asyncio.sleep(0)
    assert (await reader.read()).endswith(b"\r\n\r\n{}")
    writer.close()
