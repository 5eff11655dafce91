"""One batch of a journal becomes one transaction.

In it: the frames are checked against the stored chain and kept, the requests they speak of are folded, and
what those requests used is settled. Either all of that happened or none of it, and frames that are already
there are skipped: a batch may be sent any number of times, to any replica.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog
from google.protobuf.message import DecodeError
from kagamichain.chain import Frame
from kagamichain.verify import VerificationError, verify
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry
from psycopg import DataError
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.settlement import Settlement
from controlplane.domain.usage import NOTHING, Day, Usage, local_day
from controlplane.ledger import rows
from controlplane.ledger.charge import settle
from controlplane.ledger.charge import usage as used
from controlplane.ledger.learning import Learner, Learning
from controlplane.ledger.record import Record, fold
from controlplane.store import accounts, batches, usage
from controlplane.store import ledger as store
from controlplane.store.transactions import Connection, begin

__all__ = ["Learner", "Receiver", "VerificationError"]

log = structlog.get_logger()

Zones = Callable[[str], str]
"""A tenant's time zone, by its name."""


def _utc(_tenant: str) -> str:
    return "UTC"


class Receiver:
    """Takes what journals ship. `send` has the shape `kagamichain.shipper.Shipper` wants."""

    def __init__(self, engine: AsyncEngine, learner: Learner | None = None, *, zones: Zones = _utc) -> None:
        self._engine, self._zones = engine, zones
        self._learning = Learning(engine, learner) if learner else None

    async def run(self) -> None:
        """Learn from what other replicas settle, for ever."""
        if self._learning:
            await self._learning.run()

    async def send(self, writer: str, frames: Sequence[Frame]) -> int:
        """Store frames and return the last sequence number stored; without frames, only say where to
        continue.

        Raises VerificationError when they do not extend the stored chain, SQLAlchemyError when the database
        fails.
        """
        if self._learning:
            await self._learning.recall()
        if not frames:
            return (await store.head(self._engine, writer)).seq
        try:
            return await self._store(writer, frames)
        except DataError:
            # One entry says something a row cannot hold: it must not keep the others, or the chain, from going on.
            for frame in frames:
                await self._store_alone(writer, frame)
            return frames[-1].seq

    async def _store(self, writer: str, frames: Sequence[Frame], *, fold: bool = True) -> int:
        async with begin(self._engine) as connection:
            head = await batches.lock_head(connection, writer)
            fresh = [frame for frame in frames if frame.seq > head.seq]
            if not fresh:
                return head.seq
            verify(writer, fresh, after=head)
            await batches.extend(connection, writer, fresh)
            finished = await _fold(connection, writer, fresh, self._zones) if fold else []
        if self._learning:
            self._learning.finished(finished)
        return fresh[-1].seq

    async def _store_alone(self, writer: str, frame: Frame) -> None:
        try:
            await self._store(writer, [frame])
        except DataError:
            log.error("ledger.entry_not_folded", writer=writer, seq=frame.seq)  # noqa: TRY400  it would quote the entry
            await self._store(writer, [frame], fold=False)


async def settle_and_write(connection: Connection, records: Iterable[Record], zones: Zones = _utc) -> None:
    """Settle what is final among locked records, add it to the reports, and store them all."""
    settlement, changed = Settlement(), list(records)
    for record in changed:
        settle(record, settlement)
    await rows.write(connection, changed)
    await accounts.settle(connection, settlement)
    await usage.add(connection, _uncounted(changed, zones))


def _uncounted(records: Iterable[Record], zones: Zones) -> dict[Day, Usage]:
    found: dict[Day, Usage] = {}
    for record in records:
        if (more := used(record).minus(record.counted)) != NOTHING:
            day = Day(record.tenant, local_day(record.at_micros, zones(record.tenant)), record.key_id, record.model)
            found[day] = found.get(day, NOTHING).plus(more)
    return found


async def _fold(connection: Connection, writer: str, frames: Sequence[Frame], zones: Zones) -> list[Record]:
    """Fold the frames into their records; those of which everything is known since now."""
    entries = [(frame, entry) for frame in frames if (entry := _parse(writer, frame)) is not None]
    # An alert belongs to no request: its place in the chain is all there is to keep.
    entries = [(frame, entry) for frame, entry in entries if entry.WhichOneof("event") != "quota_alert"]
    records = await rows.locked(connection, {entry.request_id for _, entry in entries})
    unfinished = [record for record in records.values() if not (record.admitted and record.final)]
    for frame, entry in entries:
        fold(records[entry.request_id], entry, writer, frame.seq, frame.link)
    await settle_and_write(connection, records.values(), zones)
    return [record for record in unfinished if record.admitted and record.final]


def _parse(writer: str, frame: Frame) -> AuditEntry | None:
    """The entry; None when its writer speaks a newer language. It stays in the chain either way."""
    try:
        entry = AuditEntry.FromString(frame.entry)
    except DecodeError:
        entry = AuditEntry()
    if entry.request_id and "\0" not in entry.request_id and entry.WhichOneof("event"):
        return entry
    log.warning("ledger.entry_not_understood", writer=writer, seq=frame.seq)
    return None
