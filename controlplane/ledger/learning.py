"""What finished requests used, learned by every replica, whichever of them settled the request.

A replica learns at once from what is shipped to it; what others settled it reads from the ledger's own rows, at its
start and every `LOOK_SECONDS` after, off the request path. Under more load than `NEWEST` requests in that time the
newest are a sample of them, which is all that a percentile needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

import structlog
from kagamipb.ledger.v1.ledger_pb2 import OUTCOME_COMPLETED
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.ledger.record import Record
from controlplane.store import ledger as store

log = structlog.get_logger()

RECALLED = 2_000
"""Finished requests a new process learns from."""
NEWEST = 500
"""The same at every later look."""
LOOK_SECONDS = 5.0
_REMEMBERED = 20_000
"""Requests remembered so as to be learned once; more than settle between two looks and stay among the newest."""


class Learner(Protocol):
    """Told of the input and output of finished requests (see `domain.forecast.Forecast`)."""

    def learn(self, tenant: str, model: str, output_tokens: int) -> None:
        """One more finished request."""
        ...

    def learn_input(self, tenant: str, model: str, estimate: int, input_tokens: int) -> None:
        """What a provider counted, against the estimate the request was admitted with."""
        ...


class Learning:
    """Tells a learner of every finished request once, as far as it remembers."""

    def __init__(self, engine: AsyncEngine, learner: Learner, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._engine, self._learner, self._look_seconds = engine, learner, look_seconds
        self._learned: dict[str, None] = {}
        self._recalled = False

    async def recall(self) -> None:
        """Learn from what is stored; nothing after the first time. Raises SQLAlchemyError or OSError."""
        if not self._recalled:
            await self._look(RECALLED)
            self._recalled = True

    async def run(self) -> None:
        """Learn from what other replicas settle, for ever; while the database is away there is nothing new."""
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                await self._look(NEWEST)
            except (SQLAlchemyError, OSError) as error:
                log.info("learning.database_unreachable", error=type(error).__name__)

    def finished(self, records: Iterable[Record]) -> None:
        """Learn from records that were folded here."""
        for record in records:
            for attempt in record.attempts.values():
                if attempt.final and attempt.outcome == OUTCOME_COMPLETED:
                    finished = record.request_id, record.tenant, record.model, record.input_estimate
                    self._learn(
                        store.Finished(*finished, attempt.reported, attempt.input_tokens, attempt.output_tokens)
                    )

    async def _look(self, limit: int) -> None:
        for one in await store.finished(self._engine, limit):
            self._learn(one)

    def _learn(self, one: store.Finished) -> None:
        if one.request_id in self._learned:
            return
        self._learned[one.request_id] = None
        if len(self._learned) > _REMEMBERED:
            del self._learned[next(iter(self._learned))]
        self._learner.learn(one.tenant, one.model, one.output_tokens)
        if one.reported and one.input_estimate:
            self._learner.learn_input(one.tenant, one.model, one.input_estimate, one.input_tokens)
