"""The master process: loads what all workers share, forks them, replaces the dead, passes SIGTERM on.

Strategy: detectors and dictionaries are loaded once, frozen out of the garbage collector's sight and forked, so that
workers share their pages; gRPC and the event loop start after the fork, for neither survives one. The master runs no
threads and no event loop: it waits for signals, one at a time.
Guarantees: a worker that dies is replaced, with waits growing to `LONGEST_WAIT` when it dies young; workers notice the
master's own death by a pipe and drain. SIGTERM or SIGINT drains; a second one kills.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from dataclasses import dataclass, field

import structlog
import uvloop
from kagamichain.errors import JournalError

from dataplane.app.worker import Worker
from dataplane.drivers.analyzer import Analyzer, AnalyzerError, load_scan
from dataplane.drivers.logs import configure, fault
from dataplane.settings import Settings

log = structlog.get_logger()

_SIGNALS = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT})
FIRST_WAIT, LONGEST_WAIT, SETTLED_AFTER = 0.05, 5.0, 10.0
"""Seconds."""


@dataclass
class _Slot:
    """One worker's place."""

    number: int
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    due: float = field(default=0.0)
    """When to start it (monotonic); only while pid is 0."""


def main(settings: Settings) -> int:
    """Run the data plane until told to stop; returns the exit status, 2 when detection cannot be set up."""
    configure(settings.log_level, settings.log_format, node=settings.node)
    before = time.monotonic()
    try:
        analyzer = load_scan(pipelines=settings.spacy_pipelines)
    except AnalyzerError as error:
        log.error("master.detection_not_loaded", setting="KAGAMI_SPACY_PIPELINES", problem=str(error))  # noqa: TRY400
        return 2
    gc.collect()
    gc.freeze()
    log.info("master.loaded", seconds=round(time.monotonic() - before, 2), workers=settings.workers)
    return _Master(settings, analyzer).run()


class _Master:
    def __init__(self, settings: Settings, analyzer: Analyzer) -> None:
        self._settings, self._analyzer = settings, analyzer
        self._slots = [_Slot(number) for number in range(settings.workers)]
        # Nothing is ever written: the readers see its end when the master is gone, however it went.
        self._alive_read, self._alive_write = os.pipe()
        self._stopping = 0

    def run(self) -> int:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        while not self._stopping or any(slot.pid for slot in self._slots):
            self._start_due()
            self._handle(signal.sigtimedwait(_SIGNALS, self._patience()))
        log.info("master.stopped")
        return 0

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if not slot.pid and not self._stopping and slot.due <= now:
                slot.started, slot.pid = now, self._fork(slot.number)

    def _patience(self) -> float:
        due = [slot.due for slot in self._slots if not slot.pid]
        return 60.0 if self._stopping or not due else max(0.01, min(due) - time.monotonic())

    def _handle(self, info: signal.struct_siginfo | None) -> None:
        if info is None:
            return
        if info.si_signo == signal.SIGCHLD:
            self._reap()
            return
        self._stopping += 1
        log.info("master.draining" if self._stopping == 1 else "master.killing")
        for slot in self._slots:
            if slot.pid:
                os.kill(slot.pid, signal.SIGTERM if self._stopping == 1 else signal.SIGKILL)

    def _reap(self) -> None:
        """One signal may stand for several children."""
        for slot in self._slots:
            if slot.pid and (status := os.waitpid(slot.pid, os.WNOHANG))[0]:
                self._note_death(slot, os.waitstatus_to_exitcode(status[1]))

    def _note_death(self, slot: _Slot, code: int) -> None:
        now = time.monotonic()
        slot.failures = 0 if now - slot.started > SETTLED_AFTER else slot.failures + 1
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(slot.failures, 10))
        pid, slot.pid, slot.due = slot.pid, 0, now + wait
        if not self._stopping:
            log.error("worker.died", worker=slot.number, pid=pid, exit_code=code, restart_in=round(wait, 2))

    def _fork(self, number: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        os.close(self._alive_write)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        structlog.contextvars.bind_contextvars(worker=number)
        try:
            code = _work(self._settings, number, self._analyzer, self._alive_read)
        except BaseException as error:  # noqa: BLE001 -- a child must never return into the master's code
            log.error("worker.failed", **fault(error))  # noqa: TRY400 -- a trace quotes what was said
            code = 1
        sys.stderr.flush()
        os._exit(code)


def _work(settings: Settings, number: int, analyzer: Analyzer, alive: int) -> int:
    try:
        worker = Worker(settings, number, analyzer)
    except JournalError as error:
        log.error("worker.journal", problem=str(error))  # noqa: TRY400 -- says all there is to do
        return 1
    uvloop.run(_serve(worker, alive))
    return 0


async def _serve(worker: Worker, alive: int) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def master_gone() -> None:
        loop.remove_reader(alive)
        stop.set()

    loop.add_reader(alive, master_gone)
    await worker.run(stop)
