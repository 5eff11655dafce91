"""Extensions over real gRPC: on record before they are told of, or not given."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Extension
from kagamipb.quota.v1.quota_pb2 import ExtendReply, ExtendRequest
from kagamipb.quota.v1.quota_pb2_grpc import QuotaStub

from controlplane.domain.ports import Demand, Exhausted, Granted, Growth, Reservation, Unavailable
from controlplane.ledger.growth import MOST_TOKENS, QuotaServicer

ASKED = ExtendRequest(
    request_id="r-1", tenant="acme", reservation_id="cp|q,0,1,5,", provider="sim", output_tokens=64,
    pico_usd_per_output_token=10,
)  # fmt: skip
GRANTED = Granted("cp|q,0,1,9,", 0, paid_output_tokens=64)


class Gate:
    """Gives one prepared answer."""

    def __init__(self) -> None:
        self.outcome: Reservation = GRANTED
        self.asked: list[Growth] = []
        self.cancelled: list[Granted] = []

    async def reserve(self, demand: Demand, now: float) -> Reservation:
        raise AssertionError("nobody is admitted here")

    async def extend(self, growth: Growth) -> Reservation:
        self.asked.append(growth)
        return self.outcome

    def cancel(self, granted: Granted) -> None:
        self.cancelled.append(granted)


class Log:
    """An audit log in memory, which can be made to refuse."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.broken = False

    def append(self, entry: bytes) -> None:
        if self.broken:
            raise OSError(28, "No space left on device")
        self.entries.append(AuditEntry.FromString(entry))


class Bench:
    def __init__(self) -> None:
        self.gate, self.log, numbers = Gate(), Log(), itertools.count(1)
        self.servicer = QuotaServicer(
            self.gate, self.log, clock=lambda: 1_750, random=lambda size: next(numbers).to_bytes(size)
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[tuple[Bench, QuotaStub]]:
    server, one = grpc.aio.server(), Bench()
    one.servicer.add_to(server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s") as channel:
        yield one, QuotaStub(channel)
    await server.stop(None)


async def test_a_grant_is_on_record_and_has_a_name_of_its_own(bench: tuple[Bench, QuotaStub]) -> None:
    one, stub = bench
    replies = [(await stub.Extend(ASKED)).extension for _ in range(2)]
    assert replies == [Extension(id=f"{n:016x}", reservation_id="cp|q,0,1,9,", output_tokens=64) for n in (1, 2)]
    assert [entry.extended.extension for entry in one.log.entries] == replies
    first = one.log.entries[0]
    assert (first.request_id, first.at_unix_micros) == ("r-1", 1_750)
    assert (first.extended.tenant, first.extended.reservation_id) == ("acme", "cp|q,0,1,5,")
    assert one.gate.asked[0] == Growth("r-1", "acme", "sim", "cp|q,0,1,5,", 64, 10)


async def test_a_refusal_is_an_answer_without_an_extension(bench: tuple[Bench, QuotaStub]) -> None:
    one, stub = bench
    one.gate.outcome = Exhausted("q", UNIT_MICRO_USD, 5, None)
    assert await stub.Extend(ASKED) == ExtendReply()
    assert one.log.entries == []


async def test_where_no_quota_counts_output_any_more_nothing_is_held(bench: tuple[Bench, QuotaStub]) -> None:
    one, stub = bench
    one.gate.outcome = Granted("", 0, paid_output_tokens=64)
    reply = (await stub.Extend(ASKED)).extension
    assert (reply.reservation_id, reply.output_tokens) == ("", 64)
    assert one.log.entries == []


async def test_without_its_record_nothing_is_granted(bench: tuple[Bench, QuotaStub]) -> None:
    one, stub = bench
    one.log.broken = True
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Extend(ASKED)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert one.gate.cancelled == [GRANTED]


async def test_who_cannot_say_sends_the_data_plane_to_another_replica(bench: tuple[Bench, QuotaStub]) -> None:
    one, stub = bench
    one.gate.outcome = Unavailable()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Extend(ASKED)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("wrong", [{"output_tokens": 0}, {"output_tokens": MOST_TOKENS + 1}, {"tenant": ""}])
async def test_a_request_that_names_too_little_or_asks_too_much_is_wrong(
    bench: tuple[Bench, QuotaStub], wrong: dict[str, object]
) -> None:
    one, stub = bench
    asked = ExtendRequest()
    asked.CopyFrom(ASKED)
    for name, value in wrong.items():
        setattr(asked, name, value)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Extend(asked)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert one.gate.asked == []
