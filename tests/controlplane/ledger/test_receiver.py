"""Batches become transactions: stored once, verified, folded, settled."""

from __future__ import annotations

import asyncio
import random

import pytest
from kagamichain.verify import verify
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, UNIT_REQUESTS, AuditQuery, ExportRequest
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_PROVIDER_ERROR, OUTCOME_WORKER_LOST
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import Chain, abandoned, admitted, closed, denied, opened

from controlplane.domain.forecast import Forecast
from controlplane.domain.ports import Guess
from controlplane.domain.quota import Account
from controlplane.domain.reservation import Hold, Reservation, WindowKey, encode
from controlplane.ledger.queries import Queries
from controlplane.ledger.receiver import Receiver, VerificationError
from controlplane.store.quota import QuotaStore, Want

MONEY, COUNT = WindowKey("q-money", 0), WindowKey("q-count", 0)


@pytest.fixture
def receiver(engine: AsyncEngine) -> Receiver:
    return Receiver(engine)


@pytest.fixture
def queries(engine: AsyncEngine, quotas: QuotaStore) -> Queries:
    return Queries(engine, quotas, lambda: None)


async def lease(quotas: QuotaStore, owner: str = "cp", money: int = 1000, count: int = 10) -> None:
    await quotas.register(owner, "node")
    wants = {MONEY: Want(10_000, 0, money, money), COUNT: Want(100, 0, count, count)}
    await quotas.exchange(owner, 1, {}, wants)


def reservation(money: int, owner: str = "cp") -> str:
    return encode(Reservation(owner, (Hold(MONEY, UNIT_MICRO_USD, money, ""), Hold(COUNT, UNIT_REQUESTS, 1, ""))))


async def accounts(quotas: QuotaStore) -> tuple[Account, Account]:
    found = await quotas.accounts(["q-money", "q-count"])
    return found[MONEY], found[COUNT]


async def test_a_request_is_one_record_whatever_order_its_entries_come_in(receiver: Receiver, queries: Queries) -> None:
    gate, worker = Chain("cp"), Chain("dp")
    ends = worker.frames([opened("r1", request_pii={"PERSON": 2}), closed("r1", micro_usd=7, tokens=(10, 20))])
    starts = gate.frames([admitted("r1")])
    await receiver.send("dp", ends)
    await receiver.send("cp", starts)
    (record,) = (await queries.audit(AuditQuery())).records
    assert (record.request_id, record.tenant, record.model, record.outcome) == ("r1", "acme", "chat", "completed")
    assert (record.http_status, record.cost_micro_usd) == (200, 7)
    (attempt,) = record.attempts
    assert (attempt.provider, attempt.output_tokens, dict(attempt.request_pii)) == ("sim", 20, {"PERSON": 2})
    assert (attempt.writer, attempt.seq, attempt.link) == ("dp", 2, ends[1].link.hex())


async def test_refusals_are_records_too(receiver: Receiver, queries: Queries) -> None:
    await receiver.send("cp", Chain("cp").frames([denied("r1", 429, "insufficient_quota")]))
    (record,) = (await queries.audit(AuditQuery(request_id="r1"))).records
    assert (record.outcome, record.http_status, record.code) == ("denied", 429, "insufficient_quota")


async def test_a_batch_sent_twice_counts_once(receiver: Receiver, quotas: QuotaStore) -> None:
    await lease(quotas)
    frames = Chain("dp").frames([opened("r1", reservation(100)), closed("r1", reservation(100), micro_usd=60)])
    assert await receiver.send("dp", frames) == 2
    assert await receiver.send("dp", frames) == 2
    assert await receiver.send("dp", frames[1:]) == 2
    assert await receiver.send("dp", ()) == 2
    money, count = await accounts(quotas)
    assert (money.settled, money.leased) == (60, 900)
    assert (count.settled, count.leased) == (1, 9)


async def test_what_does_not_extend_the_chain_is_refused_whole(receiver: Receiver, engine: AsyncEngine) -> None:
    chain = Chain("dp")
    first, second, third = chain.frames([opened("r1"), closed("r1"), opened("r2")])
    await receiver.send("dp", [first])
    for bad in ([third], [second._replace(entry=b"forged"), third], [second, first._replace(seq=3)]):
        with pytest.raises(VerificationError):
            await receiver.send("dp", bad)
    with pytest.raises(VerificationError):
        await receiver.send("other", [first])
    assert await receiver.send("dp", ()) == 1
    assert await receiver.send("dp", [second, third]) == 3
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM audit_requests"))).scalar_one() == 2


async def test_an_entry_nobody_understands_stays_in_the_chain(receiver: Receiver, queries: Queries) -> None:
    chain = Chain("dp")
    await receiver.send("dp", chain.frames([b"\xff\xff\xff", b"\x0a\x02r9", opened("r1")]))
    exported = [f async for f in queries.export(ExportRequest())]
    assert [f.entry for f in exported][:2] == [b"\xff\xff\xff", b"\x0a\x02r9"]
    assert verify("dp", [chain_frame(f) for f in exported]) == chain.head
    assert len((await queries.audit(AuditQuery())).records) == 1


def chain_frame(exported: object) -> object:
    from kagamichain.chain import Frame

    return Frame(exported.seq, exported.link, exported.entry)


async def test_every_chain_exports_separately(receiver: Receiver, queries: Queries) -> None:
    a, b = Chain("a"), Chain("b")
    await receiver.send("b", b.frames([opened("r2")]))
    await receiver.send("a", a.frames([opened("r1"), closed("r1")]))
    frames = [f async for f in queries.export(ExportRequest())]
    assert [(f.writer, f.seq) for f in frames] == [("a", 1), ("a", 2), ("b", 1)]
    assert [f.writer async for f in queries.export(ExportRequest(writer="b"))] == ["b"]


async def test_failed_attempts_and_the_last_one_are_charged_together(receiver: Receiver, quotas: QuotaStore) -> None:
    await lease(quotas)
    text_ = reservation(100)
    first = [opened("r1", text_), closed("r1", text_, micro_usd=3, outcome=OUTCOME_PROVIDER_ERROR, final=False)]
    second = [opened("r1", text_, 2), closed("r1", text_, 2, micro_usd=40)]
    await receiver.send("dp-1", Chain("dp-1").frames(first))
    assert (await accounts(quotas))[0].settled == 0
    await receiver.send("dp-2", Chain("dp-2").frames(second))
    money, count = await accounts(quotas)
    assert (money.settled, money.leased, count.settled) == (43, 900, 1)


async def test_an_attempt_reported_late_is_charged_late(receiver: Receiver, quotas: QuotaStore) -> None:
    await lease(quotas)
    text_ = reservation(100)
    await receiver.send("dp-2", Chain("dp-2").frames([opened("r1", text_, 2), closed("r1", text_, 2, micro_usd=40)]))
    late = [opened("r1", text_), closed("r1", text_, micro_usd=3, outcome=OUTCOME_PROVIDER_ERROR, final=False)]
    await receiver.send("dp-1", Chain("dp-1").frames(late))
    money, count = await accounts(quotas)
    assert (money.settled, money.leased) == (43, 900)
    assert (count.settled, count.leased) == (1, 9)


async def test_a_lost_worker_costs_what_was_set_aside(receiver: Receiver, quotas: QuotaStore) -> None:
    await lease(quotas)
    text_ = reservation(100)
    entries = [opened("r1", text_), closed("r1", text_, outcome=OUTCOME_WORKER_LOST)]
    await receiver.send("dp", Chain("dp").frames(entries))
    money, _ = await accounts(quotas)
    assert (money.settled, money.leased) == (100, 900)


async def test_an_abandoned_request_costs_nothing_until_it_turns_up_after_all(
    receiver: Receiver, quotas: QuotaStore, queries: Queries
) -> None:
    await lease(quotas)
    text_ = reservation(100)
    await receiver.send("cp", Chain("cp").frames([admitted("r1", text_), abandoned("r1", text_)]))
    money, count = await accounts(quotas)
    assert (money.settled, money.leased, count.settled, count.leased) == (0, 900, 0, 9)
    assert (await queries.audit(AuditQuery())).records[0].outcome == "abandoned"
    await receiver.send("dp", Chain("dp").frames([opened("r1", text_), closed("r1", text_, micro_usd=8)]))
    money, count = await accounts(quotas)
    assert (money.settled, money.leased, count.settled, count.leased) == (8, 900, 1, 9)
    assert (await queries.audit(AuditQuery())).records[0].outcome == "completed"


async def test_many_writers_at_once_settle_exactly(engine: AsyncEngine, receiver: Receiver, quotas: QuotaStore) -> None:
    await lease(quotas, money=9000, count=90)
    chance = random.Random(7)
    total = 0
    gate, workers = Chain("cp"), [Chain(f"dp-{n}") for n in range(4)]
    batches: list[tuple[str, list[object]]] = []
    for n in range(60):
        text_, cost = reservation(100), chance.randrange(100)
        total += cost
        batches.append(("cp", [admitted(f"r{n}", text_)]))
        batches.append((f"dp-{n % 4}", [opened(f"r{n}", text_), closed(f"r{n}", text_, micro_usd=cost)]))
    chains = {chain.writer: chain for chain in (gate, *workers)}
    by_writer: dict[str, list[list[object]]] = {}
    for writer, entries in batches:
        by_writer.setdefault(writer, []).append(chains[writer].frames(entries))

    async def ship(writer: str) -> None:
        for frames in by_writer[writer]:
            await receiver.send(writer, frames)

    await asyncio.gather(*(ship(writer) for writer in by_writer))
    money, count = await accounts(quotas)
    assert (money.settled, money.leased) == (total, 9000 - 6000)
    assert (count.settled, count.leased) == (60, 30)


async def test_text_a_database_cannot_hold_is_kept_readable(receiver: Receiver, queries: Queries) -> None:
    await receiver.send("cp", Chain("cp").frames([admitted("r1", model="gpt\x00\\u0000\U0001f600", user="\x00")]))
    assert (await queries.audit(AuditQuery())).records[0].model == "gpt\ufffd\\ufffd\U0001f600"


async def test_an_entry_no_row_can_hold_stays_in_the_chain_and_stops_nothing(
    receiver: Receiver, queries: Queries, quotas: QuotaStore
) -> None:
    await lease(quotas)
    huge = closed("r2", micro_usd=1)
    huge.closed.cost_pico_usd = 2**64 - 1
    huge.closed.usage.output_tokens = 2**64 - 1
    bad = admitted("r2")
    bad.at_unix_micros = 2**64 - 1
    text_ = reservation(100)
    chain = Chain("dp")
    frames = chain.frames([opened("r1", text_), bad, huge, closed("r1", text_, micro_usd=60)])
    assert await receiver.send("dp", frames) == 4
    assert await receiver.send("dp", chain.frames([opened("r3")])) == 5
    assert (await accounts(quotas))[0].settled == 60
    outcomes = {record.request_id: record.outcome for record in (await queries.audit(AuditQuery())).records}
    assert outcomes["r1"] == "completed"
    assert len([f async for f in queries.export(ExportRequest())]) == 5


async def test_the_output_of_a_request_is_learned_once_under_the_name_it_was_asked_by(engine: AsyncEngine) -> None:
    class Notes:
        def __init__(self) -> None:
            self.heard: list[tuple[str, str, int]] = []

        def learn(self, tenant: str, model: str, output_tokens: int) -> None:
            self.heard.append((tenant, model, output_tokens))

    notes = Notes()
    receiver = Receiver(engine, notes)
    worker, gate = Chain("dp"), Chain("cp")
    await receiver.send("dp", worker.frames([opened("r1"), closed("r1", tokens=(5, 30))]))
    assert notes.heard == []
    await receiver.send("cp", gate.frames([admitted("r1")]))
    await receiver.send("cp", gate.frames([abandoned("r1")]))
    assert notes.heard == [("acme", "chat", 30)]


async def test_input_is_learned_from_what_providers_counted_and_from_nothing_else(engine: AsyncEngine) -> None:
    forecast = Forecast()
    receiver, guess = Receiver(engine, forecast), Guess(10, 1300)
    counted, guessed = closed("r1", tokens=(50, 5)), closed("r2", tokens=(900, 5))
    guessed.closed.usage.reported = False
    chain = Chain("dp")
    for request_id, end in (("r1", counted), ("r2", guessed)):
        entries = [admitted(request_id, input_estimate=10), opened(request_id), end]
        await receiver.send("dp", chain.frames(entries))
    assert 50 <= forecast.expected_input("acme", "chat", guess) <= 51
    again = Forecast()
    await Receiver(engine, again).send("other", ())
    assert again.expected_input("acme", "chat", guess) == forecast.expected_input("acme", "chat", guess)
