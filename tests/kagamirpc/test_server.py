"""The server with the real grpcio client as its peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from kagamirpc.server import Authorize, Bidirectional, Call, Methods, Server, Unary

Errors = list[tuple[str, BaseException]]


@asynccontextmanager
async def serving(
    folder: Path,
    methods: Methods,
    authorize: Authorize | None = None,
    linger: float = 0.0,
    ready: Callable[[], bool] = lambda: True,
) -> AsyncIterator[tuple[Server, grpc.aio.Channel, Errors]]:
    errors: Errors = []
    server = Server(
        methods,
        max_message_bytes=1 << 22,
        on_error=lambda where, error: errors.append((where, error)),
        authorize=authorize,
        ready=ready,
        linger=linger,
    )
    await server.start(f"unix:{folder}/s")
    async with grpc.aio.insecure_channel(f"unix:{folder}/s") as channel:
        yield server, channel, errors
    await server.stop(0)


async def upper(request: bytes, _headers: list[tuple[bytes, bytes]]) -> bytes:
    return request.upper()


async def echo(call: Call) -> None:
    while (message := await call.receive()) is not None:
        call.send(message)


async def test_a_unary_call_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path, {b"/s/Upper": Unary(upper)}) as (_, channel, errors):
        assert await channel.unary_unary("/s/Upper")(b"abc") == b"ABC"
        assert await channel.unary_unary("/s/Upper")(b"x" * 3_000_000) == b"X" * 3_000_000
        assert errors == []


async def test_a_bidirectional_call_carries_messages_both_ways(tmp_path: Path) -> None:
    async with serving(tmp_path, {b"/s/Echo": Bidirectional(echo)}) as (_, channel, _errors):
        call = channel.stream_stream("/s/Echo")()
        for index in range(20):
            await call.write(str(index).encode())
            assert await call.read() == str(index).encode()
        await call.done_writing()
        assert await call.read() == grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


async def test_a_hundred_calls_run_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path, {b"/s/Upper": Unary(upper)}) as (_, channel, _errors):
        method = channel.unary_unary("/s/Upper")
        replies = await asyncio.gather(*(method(f"r{i}".encode()) for i in range(100)))
        assert replies == [f"R{i}".encode() for i in range(100)]


async def test_an_unknown_method_is_unimplemented(tmp_path: Path) -> None:
    async with serving(tmp_path, {}) as (_, channel, _errors):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/s/Nothing")(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_handler_that_raises_ends_the_call_with_internal_and_no_detail(tmp_path: Path) -> None:
    async def broken(_request: bytes, _headers: list[tuple[bytes, bytes]]) -> bytes:
        raise ValueError("secret detail")

    async with serving(tmp_path, {b"/s/Broken": Unary(broken)}) as (_, channel, errors):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/s/Broken")(b"")
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in str(caught.value)
        assert [type(error) for _, error in errors] == [ValueError]


async def test_a_handler_that_returns_before_the_peer_is_done_does_not_end_ok(tmp_path: Path) -> None:
    async def early(call: Call) -> None:
        await call.receive()

    async with serving(tmp_path, {b"/s/Early": Bidirectional(early)}) as (_, channel, _errors):
        call = channel.stream_stream("/s/Early")()
        await call.write(b"first")
        assert await call.code() is grpc.StatusCode.INTERNAL


async def test_a_cancelled_call_cancels_its_handler(tmp_path: Path) -> None:
    cleaned = asyncio.Event()

    async def slow(call: Call) -> None:
        try:
            await call.receive()
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    async with serving(tmp_path, {b"/s/Slow": Bidirectional(slow)}) as (_, channel, _errors):
        call = channel.stream_stream("/s/Slow")()
        await call.write(b"x")
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.wait_for(cleaned.wait(), 5)


async def test_a_lost_connection_cancels_its_handlers(tmp_path: Path) -> None:
    cleaned = asyncio.Event()

    async def slow(call: Call) -> None:
        try:
            await call.receive()
            await call.receive()
        finally:
            cleaned.set()

    async with serving(tmp_path, {b"/s/Slow": Bidirectional(slow)}) as (server, channel, _errors):
        call = channel.stream_stream("/s/Slow")()
        await call.write(b"x")
        await asyncio.sleep(0.05)
        for protocol in list(server.protocols):
            protocol.abort()
        await asyncio.wait_for(cleaned.wait(), 5)
        assert await call.code() is grpc.StatusCode.UNAVAILABLE


async def test_stop_lets_running_calls_finish(tmp_path: Path) -> None:
    async def slow(request: bytes, _headers: list[tuple[bytes, bytes]]) -> bytes:
        await asyncio.sleep(0.2)
        return request

    async with serving(tmp_path, {b"/s/Slow": Unary(slow)}) as (server, channel, _errors):
        running = asyncio.ensure_future(channel.unary_unary("/s/Slow")(b"done"))
        await asyncio.sleep(0.05)
        await server.stop(5)
        assert await running == b"done"


async def test_a_process_that_is_not_ready_answers_nothing_but_public_methods(tmp_path: Path) -> None:
    readiness = [False]
    methods: Methods = {
        b"/s/Upper": Unary(upper),
        b"/s/Echo": Bidirectional(echo),
        b"/s/Health": Unary(upper, public=True),
    }
    async with serving(tmp_path, methods, ready=lambda: readiness[0]) as (_, channel, errors):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/s/Upper")(b"a" * 100_000)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await channel.stream_stream("/s/Echo")().code() is grpc.StatusCode.UNAVAILABLE
        assert await channel.unary_unary("/s/Health")(b"a") == b"A"
        readiness[0] = True
        assert await channel.unary_unary("/s/Upper")(b"a") == b"A"
        assert errors == []


async def test_new_calls_are_answered_for_as_long_as_notice_is_given(tmp_path: Path) -> None:
    async with serving(tmp_path, {b"/s/Upper": Unary(upper)}) as (server, channel, _errors):
        await channel.unary_unary("/s/Upper")(b"first")
        stopping = asyncio.create_task(server.stop(5, notice=0.5))
        await asyncio.sleep(0.1)
        assert await channel.unary_unary("/s/Upper")(b"second") == b"SECOND"
        assert not stopping.done()
        await stopping
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary("/s/Upper")(b"third")


async def test_no_notice_is_given_when_nobody_is_there_to_take_it(tmp_path: Path) -> None:
    async with serving(tmp_path, {b"/s/Upper": Unary(upper)}) as (server, channel, _errors):
        await channel.unary_unary("/s/Upper")(b"first")
        await channel.close()
        await asyncio.wait_for(server.stop(5, notice=3_600), 30)


async def test_a_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"")
    async with serving(tmp_path, {b"/s/Upper": Unary(upper)}) as (_, channel, _errors):
        assert await channel.unary_unary("/s/Upper")(b"a") == b"A"


def knows_the_word(headers: list[tuple[bytes, bytes]]) -> bool:
    return (b"word", b"open") in headers


WORD = (("word", "open"),)


async def test_every_call_is_authorized_by_its_headers_before_its_handler_exists(tmp_path: Path) -> None:
    called = []

    async def noted(request: bytes, _headers: list[tuple[bytes, bytes]]) -> bytes:
        called.append(request)
        return request

    methods: Methods = {b"/s/Noted": Unary(noted), b"/s/Echo": Bidirectional(echo)}
    async with serving(tmp_path, methods, knows_the_word) as (_, channel, _errors):
        assert await channel.unary_unary("/s/Noted")(b"first", metadata=WORD) == b"first"
        for metadata in ((), (("word", "wrong"),), (("other", "open"),)):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/s/Noted")(b"second" * 100_000, metadata=metadata)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert called == [b"first"]
        # The same connection goes on: a refusal is that call's alone.
        assert await channel.unary_unary("/s/Noted")(b"third", metadata=WORD) == b"third"


async def test_a_stream_that_is_not_authorized_ends_at_once_though_its_caller_sends_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, {b"/s/Echo": Bidirectional(echo)}, knows_the_word) as (_, channel, _errors):
        call = channel.stream_stream("/s/Echo")()
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_only_methods_marked_public_need_no_authorization(tmp_path: Path) -> None:
    methods: Methods = {b"/s/Upper": Unary(upper, public=True), b"/s/Echo": Bidirectional(echo, public=True)}
    async with serving(tmp_path, methods, knows_the_word) as (_, channel, _errors):
        assert await channel.unary_unary("/s/Upper")(b"abc") == b"ABC"
        call = channel.stream_stream("/s/Echo")()
        await call.write(b"x")
        assert await call.read() == b"x"
        call.cancel()


async def test_calls_keep_a_server_awake_that_lingers_but_health_checks_do_not(tmp_path: Path) -> None:
    methods = {b"/s/Upper": Unary(upper), b"/s/Health": Unary(upper, public=True)}
    async with serving(tmp_path, methods, linger=30) as (server, channel, _errors):
        await channel.unary_unary("/s/Health")(b"x")
        assert not server.polling.awake
        await channel.unary_unary("/s/Upper")(b"x")
        assert server.polling.awake
    assert not server.polling.awake


async def test_a_server_that_does_not_linger_sleeps(tmp_path: Path) -> None:
    async with serving(tmp_path, {b"/s/Upper": Unary(upper)}) as (server, channel, _errors):
        await channel.unary_unary("/s/Upper")(b"x")
        assert not server.polling.awake
