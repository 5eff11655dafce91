"""`python -m controlplane`: settings, migrations, then the plane until SIGTERM or SIGINT.

Exit codes: 0 stopped as told, 1 could not run or go on, 2 wrong settings.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import Final

import structlog
import uvloop
from kagamichain.journal import Journal, JournalError
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from controlplane import logs
from controlplane.app import ControlPlane
from controlplane.settings import Settings, SettingsError, parse
from controlplane.store.migrations import upgrade

_DATABASE_PATIENCE: Final = 30.0
_PAUSE: Final = 0.5

log = structlog.get_logger()


def main() -> int:
    """Runs one replica."""
    try:
        settings = parse(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logging is not set up yet
        return 2
    logs.configure(settings.log_level, settings.log_format)
    try:
        _migrate(settings.database_url)
        journal = Journal.open(settings.journal_dir, settings.node)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip()
        log.error("controlplane.database_refused", reason=reason)  # noqa: TRY400 - said in full
        return 1
    except JournalError as error:
        log.error("controlplane.journal_refused", reason=str(error))  # noqa: TRY400 - said in full
        return 1
    return _run(settings, journal)


def _run(settings: Settings, journal: Journal) -> int:
    try:
        uvloop.run(_serve(settings, journal))
    except OSError as error:
        log.error("controlplane.cannot_listen", reason=str(error))  # noqa: TRY400 - said in full
        return 1
    except Exception:
        log.exception("controlplane.failed")
        return 1
    finally:
        journal.close()
    return 0


def _migrate(database_url: str) -> None:
    """Waits for a database that is still starting, then migrates it."""
    deadline = time.monotonic() + _DATABASE_PATIENCE
    while True:
        try:
            return upgrade(database_url)
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise
            log.warning("controlplane.waiting_for_database", reason=str(error.orig).strip())
            time.sleep(_PAUSE)


async def _serve(settings: Settings, journal: Journal) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await ControlPlane(settings, journal, dict(os.environ)).serve(stop)


if __name__ == "__main__":
    sys.exit(main())
