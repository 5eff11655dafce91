"""Keeps the current snapshot current: PostgreSQL's LISTEN/NOTIFY, with everything that can go wrong with
it.

Strategy: one connection of its own listens; after it began to listen (never before) the configuration is
read, so no change can fall between. Every notification, and a slow poll should one get lost, reads what
changed. When the database goes away the last snapshot stays in force, and the connection is made again with
growing, jittered pauses. A configuration that cannot be read is reported and the last good one kept.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.store.holder import SnapshotHolder
from controlplane.store.schema import NOTIFY_CHANNEL
from controlplane.store.snapshots import Loaded, load

_POLL_SECONDS: Final = 15.0
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 3.0
_CONNECT: Final[dict[str, Any]] = {
    "application_name": "kagami-listen",
    "connect_timeout": 5,
    # A listening connection is silent: only keepalives notice that the other side is gone.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}

log = structlog.get_logger()


class Refresher:
    """Publishes to `holder` whatever is newest in the database, until its task is cancelled.

    `random` gives numbers in [0, 1) for the jitter.
    """

    def __init__(
        self, database_url: str, engine: AsyncEngine, holder: SnapshotHolder, random: Callable[[], float]
    ) -> None:
        self._url = database_url
        self._engine = engine
        self._holder = holder
        self._random = random
        self.loaded: Loaded | None = None
        """What was published last, with its revisions."""
        self._pause = _FIRST_PAUSE

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("snapshot.database_unreachable", reason=_reason(error), retry_in=self._pause)
            except Exception:
                log.exception("snapshot.unreadable", retry_in=self._pause)
            await asyncio.sleep(self._pause * (0.5 + self._random() / 2))
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def refresh(self) -> None:
        """Reads what changed and publishes it. Raises SQLAlchemyError or OSError."""
        loaded = await self._load()
        if loaded is not self.loaded:
            self.loaded = loaded
            # A snapshot's objects make no cycles: with 100 000 keys, looking through them again and again would
            # stop every request for tens of milliseconds.
            gc.freeze()
            self._holder.publish(loaded.snapshot)
            log.info("snapshot.loaded", revision=loaded.snapshot.revision)

    async def _load(self) -> Loaded:
        gc.disable()
        try:
            return await load(self._engine, self.loaded)
        finally:
            gc.enable()

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **_CONNECT)
        async with connection:
            await connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
            while True:
                await self.refresh()
                self._pause = _FIRST_PAUSE
                async for _ in connection.notifies(timeout=_POLL_SECONDS, stop_after=1):
                    pass


def _reason(error: Exception) -> str:
    """The driver's own words, without SQLAlchemy's, which would repeat the statement."""
    return str(getattr(error, "orig", None) or error).strip() or type(error).__name__
