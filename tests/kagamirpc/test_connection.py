"""The connection against an independent HTTP/2 implementation (hyper-h2) and against broken peers."""

from __future__ import annotations

import struct

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kagamirpc import frames as f
from kagamirpc.blocks import MAX_HEADER_BLOCK
from kagamirpc.connection import Connection
from kagamirpc.events import HalfClosed, Message, Opened, ProtocolError, Reset

HEADERS = [(":method", "POST"), (":path", "/s/M"), (":scheme", "http"), (":authority", "x"), ("te", "trailers")]


def client() -> h2.connection.H2Connection:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    return connection


def grpc(payload: bytes) -> bytes:
    return struct.pack(">BI", 0, len(payload)) + payload


def settled(**limits: int) -> tuple[h2.connection.H2Connection, Connection]:
    peer, server = client(), Connection(max_message_bytes=limits.get("max_message_bytes", 1 << 20))
    server.receive(peer.data_to_send())
    peer.receive_data(server.take())
    server.receive(peer.data_to_send())
    return peer, server


def read_all(peer: h2.connection.H2Connection, server: Connection) -> list[h2.events.Event]:
    """Let both talk until neither has anything to say; returns what the client saw."""
    seen: list[h2.events.Event] = []
    while data := server.take():
        for event in peer.receive_data(data):
            seen.append(event)
            if isinstance(event, h2.events.DataReceived):
                peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        server.receive(peer.data_to_send())
    return seen


def conversation() -> bytes:
    """Client bytes of two interleaved calls with several messages each, one padded."""
    peer = client()
    peer.send_headers(1, HEADERS)
    peer.send_headers(3, [*HEADERS, ("x-kagami-provider", "sim")])
    peer.send_data(1, grpc(b"one") + grpc(b"two")[:4])
    peer.send_data(3, grpc(b""), pad_length=9)
    peer.send_data(1, grpc(b"two")[4:], end_stream=True)
    peer.reset_stream(3, 8)
    return peer.data_to_send()


EXPECTED = [Message(1, b"one"), Message(3, b""), Message(1, b"two"), HalfClosed(1), Reset(3)]


def without_opened(events: list) -> list:
    return [event for event in events if not isinstance(event, Opened)]


def test_a_conversation_read_whole_gives_its_events() -> None:
    events = Connection(max_message_bytes=99).receive(conversation())
    assert [event.stream_id for event in events if isinstance(event, Opened)] == [1, 3]
    assert (b"x-kagami-provider", b"sim") in [tuple(pair) for pair in events[1].headers]
    assert without_opened(events) == EXPECTED


def test_a_conversation_read_byte_by_byte_gives_the_same_events() -> None:
    server, events = Connection(max_message_bytes=99), []
    for byte in conversation():
        events += server.receive(bytes([byte]))
    assert without_opened(events) == EXPECTED


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80))
def test_a_conversation_cut_anywhere_gives_the_same_events(sizes: list[int]) -> None:
    data, server, events = conversation(), Connection(max_message_bytes=99), []
    while data:
        size = sizes[len(events) % len(sizes)]
        events += server.receive(data[:size])
        data = data[size:]
    assert without_opened(events) == EXPECTED


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_garbage_after_the_preface_is_refused_or_ignored_but_never_crashes(data: bytes) -> None:
    server = Connection(max_message_bytes=99)
    try:
        server.receive(f.PREFACE + f.settings({}) + data)
    except ProtocolError as error:
        server.fail(error)
    assert isinstance(server.take(), bytes)


def test_a_reply_is_headers_message_and_ok_trailers() -> None:
    peer, server = settled()
    peer.send_headers(1, HEADERS)
    peer.send_data(1, grpc(b"ask"), end_stream=True)
    server.receive(peer.data_to_send())
    server.send_message(1, b"answer")
    server.finish(1, 0)
    seen = read_all(peer, server)
    assert [e.data for e in seen if isinstance(e, h2.events.DataReceived)] == [grpc(b"answer")]
    trailers = next(e for e in seen if isinstance(e, h2.events.TrailersReceived))
    assert ("grpc-status", "0") in [tuple(pair) for pair in trailers.headers]
    assert server.active == 0


def test_a_failure_before_any_message_is_trailers_only() -> None:
    peer, server = settled()
    peer.send_headers(1, HEADERS, end_stream=True)
    server.receive(peer.data_to_send())
    server.finish(1, 12)
    response = next(e for e in read_all(peer, server) if isinstance(e, h2.events.ResponseReceived))
    assert {("content-type", "application/grpc"), ("grpc-status", "12")} <= {tuple(p) for p in response.headers}


def test_output_larger_than_the_window_arrives_complete_and_in_order() -> None:
    peer, server = settled()
    peer.send_headers(1, HEADERS)
    server.receive(peer.data_to_send())
    payload = bytes(range(256)) * 2000
    server.send_message(1, payload)
    assert server.pending(1) > 0
    server.finish(1, 0)
    seen = read_all(peer, server)
    assert b"".join(e.data for e in seen if isinstance(e, h2.events.DataReceived)) == grpc(payload)
    assert any(isinstance(e, h2.events.TrailersReceived) for e in seen)


def test_a_shared_window_releases_every_waiting_stream() -> None:
    peer, server = settled()
    for stream_id in (1, 3):
        peer.send_headers(stream_id, HEADERS)
    server.receive(peer.data_to_send())
    for stream_id in (1, 3):
        server.send_message(stream_id, bytes(60_000))
        server.finish(stream_id, 0)
    seen = read_all(peer, server)
    assert sum(len(e.data) for e in seen if isinstance(e, h2.events.DataReceived)) == 2 * 60_005


def test_a_large_request_is_given_credit_until_it_is_read() -> None:
    peer, server = settled(max_message_bytes=64 << 20)
    peer.send_headers(1, HEADERS)
    data, position, events = grpc(bytes(40 << 20)), 0, []
    while position < len(data):
        size = min(len(data) - position, peer.local_flow_control_window(1), 16_384)
        assert size > 0, "the server stopped giving credit"
        peer.send_data(1, data[position : position + size])
        position += size
        events += server.receive(peer.data_to_send())
        peer.receive_data(server.take())
    assert [len(e.payload) for e in events if isinstance(e, Message)] == [40 << 20]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", "preface"),
        (f.PREFACE + f.frame(f.CONTINUATION, f.END_HEADERS, 1, b""), "without its header block"),
        (f.PREFACE + f.frame(f.HEADERS, 0, 1, b"\x88") + f.frame(f.PING, 0, 0, bytes(8)), "interrupted"),
        (f.PREFACE + f.frame(f.HEADERS, f.END_HEADERS, 2, b"\x88"), "odd and rise"),
        (f.PREFACE + f.frame(f.HEADERS, f.END_HEADERS, 1, b"\xff\xff\xff"), "cannot be decoded"),
        (f.PREFACE + f.frame(f.DATA, 0, 7, b"x"), "never opened"),
        (f.PREFACE + f.frame(f.PUSH_PROMISE, 0, 1, b""), "push"),
        (f.PREFACE + f.frame(f.PING, 0, 0, b"123"), "wrong size"),
        (f.PREFACE + b"\xff\xff\xff" + bytes(6), "maximum"),
    ],
)
def test_a_broken_peer_is_told_what_it_broke(data: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        Connection(max_message_bytes=99).receive(data)


@pytest.mark.parametrize("message", [b"\x01\x00\x00\x00\x01x", b"\x00\x00\x00\x01\x00" + bytes(256)])
def test_compressed_and_oversized_messages_are_refused(message: bytes) -> None:
    peer, server = settled(max_message_bytes=99)
    peer.send_headers(1, HEADERS)
    peer.send_data(1, message)
    with pytest.raises(ProtocolError, match=r"compressed|over the limit"):
        server.receive(peer.data_to_send())


def test_an_endless_header_block_is_refused() -> None:
    server = Connection(max_message_bytes=99)
    pieces = f.frame(f.CONTINUATION, 0, 1, bytes(1000)) * (MAX_HEADER_BLOCK // 1000 + 2)
    with pytest.raises(ProtocolError, match="too large"):
        server.receive(f.PREFACE + f.frame(f.HEADERS, 0, 1, b"\x88") + pieces)


def test_a_repeated_header_block_means_the_same_until_the_table_changes() -> None:
    peer, server = settled()
    seen = []
    for index, extra in enumerate(("a", "a", "a", "b", "a")):
        stream_id = 2 * index + 1
        peer.send_headers(stream_id, [*HEADERS, ("x-extra", extra)], end_stream=True)
        opened = next(e for e in server.receive(peer.data_to_send()) if isinstance(e, Opened))
        seen.append(dict(tuple(pair) for pair in opened.headers)[b"x-extra"])
    assert seen == [b"a", b"a", b"a", b"b", b"a"]


def test_after_drain_new_calls_are_refused_and_running_ones_finish() -> None:
    peer, server = settled()
    peer.send_headers(1, HEADERS)
    server.receive(peer.data_to_send())
    server.drain()
    peer.send_headers(3, HEADERS)
    assert server.receive(peer.data_to_send()) == []
    server.send_message(1, b"late")
    server.finish(1, 0)
    assert server.active == 0
    assert f.reset(3, f.REFUSED_STREAM) in server.take()


def test_nothing_is_sent_on_a_stream_the_peer_reset() -> None:
    peer, server = settled()
    peer.send_headers(1, HEADERS)
    peer.reset_stream(1)
    server.receive(peer.data_to_send())
    server.take()
    server.send_message(1, b"late")
    server.finish(1, 0)
    assert server.take() == b""
