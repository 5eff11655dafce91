"""The worker's two calls to the control plane: policies come down, audit entries go up.

Both present the cluster token, when there is one, and go to any replica that answers: a replica that fails is left for
the next one. Waits between failures grow to `LONGEST_WAIT` with jitter and never end, for without the control plane a
worker goes on with what it has.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import grpc
from kagamichain.chain import Frame
from kagamipb.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from kagamipb.policy.v1 import policy_pb2, policy_pb2_grpc
from kagamirpc.token import metadata

from dataplane.drivers.policies import PolicyStore

FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0
"""Seconds."""
_SHIP_SECONDS = 10.0
_OPTIONS = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

Report = Callable[[Exception], None]
"""Told of every failure."""


class Endpoints:
    """Channels to the replicas, tried in turn. Starts at a random one, so that workers spread."""

    def __init__(self, targets: Sequence[str], token: str | None = None) -> None:
        self.metadata = metadata(token)
        self._channels = [grpc.aio.insecure_channel(target, options=_OPTIONS) for target in targets]
        self._at = random.randrange(len(self._channels))  # noqa: S311 -- spreads load, guards nothing

    @property
    def channel(self) -> grpc.aio.Channel:
        """The replica in use."""
        return self._channels[self._at]

    def leave(self) -> None:
        """The replica in use failed: try the next one."""
        self._at = (self._at + 1) % len(self._channels)

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels:
            await channel.close(None)


async def follow_policies(endpoints: Endpoints, node: str, store: PolicyStore, report: Report) -> None:
    """Keep `store` current, for ever."""
    failures = 0
    while True:
        try:
            stub = policy_pb2_grpc.PolicyFeedStub(endpoints.channel)  # type: ignore[no-untyped-call]
            async for snapshot in stub.Watch(policy_pb2.WatchRequest(node=node), metadata=endpoints.metadata):
                failures = 0
                if not store.replace(snapshot):
                    report(ValueError(f"snapshot format {snapshot.format} is not known"))
        except grpc.RpcError as error:
            report(error)
        endpoints.leave()
        failures += 1
        await asyncio.sleep(_wait(failures))


def ledger_sender(endpoints: Endpoints) -> Callable[[str, Sequence[Frame]], Awaitable[int]]:
    """What kagamichain's Shipper sends with."""

    async def send(writer: str, frames: Sequence[Frame]) -> int:
        request = ledger_pb2.ShipRequest(writer=writer, frames=[_frame(frame) for frame in frames])
        stub = ledger_pb2_grpc.LedgerStub(endpoints.channel)  # type: ignore[no-untyped-call]
        try:
            reply = await stub.Ship(request, metadata=endpoints.metadata, timeout=_SHIP_SECONDS)
        except grpc.RpcError:
            endpoints.leave()
            raise
        acked: int = reply.acked_seq
        return acked

    return send


def _frame(frame: Frame) -> ledger_pb2.Frame:
    return ledger_pb2.Frame(seq=frame.seq, link=frame.link, entry=frame.entry)


def _wait(failures: int) -> float:
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 16))
    return random.uniform(FIRST_WAIT / 2, longest)  # noqa: S311 -- spreads retries, guards nothing
