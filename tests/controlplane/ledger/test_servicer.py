"""Shipping over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import grpc
import pytest
from kagamichain.chain import Frame
from kagamichain.journal import Journal
from kagamichain.shipper import Shipper
from kagamipb.ledger.v1 import ledger_pb2
from kagamipb.ledger.v1.ledger_pb2_grpc import LedgerStub
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import Chain, closed, opened

from controlplane.ledger.receiver import Receiver
from controlplane.ledger.servicer import LedgerServicer
from controlplane.store.postgres import create_engine


@pytest.fixture
async def stub(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[LedgerStub]:
    server = grpc.aio.server()
    LedgerServicer(Receiver(engine)).add_to(server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s") as channel:
        yield LedgerStub(channel)
    await server.stop(None)


def request(writer: str, frames: Sequence[Frame]) -> ledger_pb2.ShipRequest:
    return ledger_pb2.ShipRequest(
        writer=writer, frames=[ledger_pb2.Frame(seq=s, link=k, entry=e) for s, k, e in frames]
    )


async def test_a_journal_ships_itself(stub: LedgerStub, tmp_path: Path) -> None:
    async def send(writer: str, frames: Sequence[Frame]) -> int:
        return (await stub.Ship(request(writer, frames))).acked_seq

    journal = Journal.open(tmp_path / "journal", "dp-0")
    for n in range(600):
        journal.append(opened(f"r{n}").SerializeToString())
    await Shipper(journal, send).flush()
    assert (await stub.Ship(request(journal.writer, ()))).acked_seq == 600
    journal.close()


async def test_a_foreign_chain_is_a_failed_precondition(stub: LedgerStub) -> None:
    frames = Chain("dp").frames([opened("r1"), closed("r1")])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Ship(request("dp", frames[1:]))
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "writer dp, entry 1: missing" in refused.value.details()


async def test_a_writer_needs_a_name(stub: LedgerStub) -> None:
    for writer in ("", "x" * 129):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Ship(request(writer, ()))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_without_a_database_it_is_unavailable(tmp_path: Path) -> None:
    engine = create_engine("postgresql://nobody@/nothing?host=" + str(tmp_path))
    server = grpc.aio.server()
    LedgerServicer(Receiver(engine)).add_to(server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await LedgerStub(channel).Ship(request("dp", Chain("dp").frames([opened("r1")])))
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert str(tmp_path) not in refused.value.details()
    await server.stop(None)
    await engine.dispose()
