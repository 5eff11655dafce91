"""What a connection tells its owner: calls, messages, their ends; and what a peer did wrong."""

from __future__ import annotations

from typing import NamedTuple

from kagamirpc import frames as f


class ProtocolError(Exception):
    """The peer broke HTTP/2 or gRPC framing; `code` is the HTTP/2 error code told to it."""

    def __init__(self, reason: str, code: int = f.PROTOCOL_ERROR) -> None:
        super().__init__(reason)
        self.code = code


class Opened(NamedTuple):
    """A call began. Header names and values as received, pseudo headers included."""

    stream_id: int
    headers: list[tuple[bytes, bytes]]


class Message(NamedTuple):
    """One whole gRPC message."""

    stream_id: int
    payload: bytes


class HalfClosed(NamedTuple):
    """The peer will send no more messages on this stream."""

    stream_id: int


class Reset(NamedTuple):
    """The peer gave the call up."""

    stream_id: int


Event = Opened | Message | HalfClosed | Reset
