"""One replica's ledger, its parts joined."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kagamichain.journal import Journal
from kagamichain.shipper import Shipper
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, WINDOW_LIFETIME, AuditQuery, BudgetRequest
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import Chain, admitted, closed, opened

from controlplane.domain.forecast import Forecast
from controlplane.domain.ports import Demand, Granted, Guess
from controlplane.domain.reservation import decode
from controlplane.domain.snapshot import Quota, Snapshot, Tenant
from controlplane.ledger.queries import Queries
from controlplane.ledger.quota_gate import LeasedQuotaGate
from controlplane.ledger.receiver import Receiver
from controlplane.store.quota import QuotaStore

QUOTA = Quota("q-1", "budget", "acme", UNIT_MICRO_USD, WINDOW_LIFETIME, 1_000_000)
SNAPSHOT = Snapshot("1", {"acme": Tenant("acme", "p")}, quotas={"acme": (QUOTA,)})
DEMAND = Demand("r1", "acme", "k", "", "chat", ("sim",), 300, 100, 100, 100, 2_000_000)


class Replica:
    """The parts of one replica, joined as the application joins them."""

    def __init__(self, engine: AsyncEngine, journal: Journal) -> None:
        store = QuotaStore(engine)
        self.forecast = Forecast()
        self.receiver = Receiver(engine, self.forecast)
        self.shipper = Shipper(journal, self.receiver.send)
        self.gate = LeasedQuotaGate(store, lambda: SNAPSHOT, journal.writer)
        self.queries = Queries(engine, store, lambda: SNAPSHOT)

    async def start(self) -> None:
        await self.shipper.flush()
        await self.gate.retire_predecessors()
        self._tasks = [asyncio.create_task(self.shipper.run()), asyncio.create_task(self.gate.run())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.shipper.flush()
        await self.gate.close()


async def test_from_admission_to_budget_and_record(engine: AsyncEngine, tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "cp-0")
    ledger = Replica(engine, journal)
    await ledger.start()
    granted = await ledger.gate.reserve(DEMAND, 1e9)
    assert isinstance(granted, Granted)
    journal.append(admitted("r1", granted.reservation_id).SerializeToString())
    (budget,) = (await ledger.queries.budgets(BudgetRequest(tenant="acme"))).budgets
    assert (budget.quota.name, budget.quota.cap, budget.settled) == ("budget", 1_000_000, 0)
    assert budget.leased >= 300
    entries = [
        opened("r1", granted.reservation_id),
        closed("r1", granted.reservation_id, micro_usd=250, tokens=(100, 75)),
    ]
    await ledger.receiver.send("dp", Chain("dp").frames(entries))
    (budget,) = (await ledger.queries.budgets(BudgetRequest())).budgets
    assert (budget.settled, budget.reserved) == (250, 0)
    for _ in range(100):
        if ledger.shipper.acked == 1:
            break
        await asyncio.sleep(0.02)
    (record,) = (await ledger.queries.audit(AuditQuery(tenant="acme"))).records
    assert (record.model, record.outcome, record.cost_micro_usd) == ("chat", "completed", 250)
    await ledger.stop()
    (budget,) = (await ledger.queries.budgets(BudgetRequest())).budgets
    assert (budget.settled, budget.leased) == (250, 0)
    journal.close()


async def test_a_restarted_replica_ships_and_takes_back_what_a_killed_one_left(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    journal = Journal.open(tmp_path, "cp-0")
    killed = Replica(engine, journal)
    gate = asyncio.create_task(killed.gate.run())  # its shipper never gets to run
    granted = await killed.gate.reserve(DEMAND, 1e9)
    assert isinstance(granted, Granted)
    journal.append(admitted("r1", granted.reservation_id).SerializeToString())
    gate.cancel()
    await asyncio.gather(gate, return_exceptions=True)
    journal.close()

    again = Journal.open(tmp_path, "cp-0")
    ledger = Replica(engine, again)
    await ledger.start()
    (budget,) = (await ledger.queries.budgets(BudgetRequest())).budgets
    held = decode(granted.reservation_id).holds[0].amount
    assert (budget.settled, budget.reserved, budget.leased) == (0, held, held)
    await ledger.stop()
    again.close()


async def test_expected_use_is_remembered_over_a_restart(engine: AsyncEngine, tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "cp-0")
    first = Replica(engine, journal)
    for n in range(6):
        await first.receiver.send(
            f"dp-{n}",
            Chain(f"dp-{n}").frames(
                [admitted(f"r{n}", input_estimate=10), opened(f"r{n}"), closed(f"r{n}", tokens=(9, 40))]
            ),
        )
    expected = first.forecast.expected_output("acme", "chat")
    assert 40 <= expected <= 44
    guess = Guess(10, 1300)
    assert first.forecast.expected_input("acme", "chat", guess) == 10  # providers counted 9
    second = Replica(engine, journal)
    await second.receiver.send("dp-0", ())
    assert second.forecast.expected_input("acme", "chat", guess) == 10
    assert second.forecast.expected_output("acme", "chat") == expected
    journal.close()
