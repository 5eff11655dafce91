"""What one replica settled, the others learn from."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_PROVIDER_ERROR
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import Chain, admitted, closed, opened

from controlplane.ledger.learning import Learning
from controlplane.ledger.receiver import Receiver


class Notes:
    """Everything a learner is told."""

    def __init__(self) -> None:
        self.output: list[tuple[str, str, int]] = []
        self.input: list[tuple[str, str, int, int]] = []

    def learn(self, *heard: object) -> None:
        self.output.append(heard)

    def learn_input(self, *heard: object) -> None:
        self.input.append(heard)


async def settle(receiver: Receiver, chain: Chain, request_id: str, output: int) -> None:
    """One whole request that failed once and was then answered."""
    entries = [
        admitted(request_id, input_estimate=10),
        opened(request_id),
        closed(request_id, tokens=(4, 0), outcome=OUTCOME_PROVIDER_ERROR, final=False),
        opened(request_id, attempt=2),
        closed(request_id, attempt=2, tokens=(8, output)),
    ]
    await receiver.send(chain.writer, chain.frames(entries))


@contextlib.asynccontextmanager
async def running(learning: Learning) -> AsyncIterator[None]:
    task = asyncio.create_task(learning.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_another_replica_settled_is_learned_once(engine: AsyncEngine) -> None:
    here, there, notes = Receiver(engine, Notes()), Chain("dp-0"), Notes()
    await settle(here, there, "r1", 30)
    learning = Learning(engine, notes, look_seconds=0.01)
    await learning.recall()
    await learning.recall()
    assert notes.output == [("acme", "chat", 30)]
    assert notes.input == [("acme", "chat", 10, 8)]
    async with running(learning):
        await settle(here, there, "r2", 40)
        async with asyncio.timeout(5):
            while len(notes.output) < 2:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
    assert notes.output == [("acme", "chat", 30), ("acme", "chat", 40)]


async def test_what_was_learned_from_what_it_settled_itself_is_not_learned_again(engine: AsyncEngine) -> None:
    notes = Notes()
    receiver = Receiver(engine, notes)
    await settle(receiver, Chain("dp-0"), "r1", 30)
    await receiver._learning._look(10)
    assert notes.output == [("acme", "chat", 30)]


async def test_a_request_nobody_admitted_here_yet_teaches_nothing(engine: AsyncEngine) -> None:
    notes = Notes()
    await Receiver(engine).send("dp", Chain("dp").frames([opened("r1"), closed("r1", tokens=(5, 30))]))
    await Learning(engine, notes).recall()
    assert notes.output == []
