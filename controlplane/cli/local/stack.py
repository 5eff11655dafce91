"""The parts in order: PostgreSQL, control planes and data plane, Envoy; backwards, draining, to stop.

Ready means that a request would succeed: every part answers its own probe and the gateway refuses a request
without a key with 401, which takes Envoy, its configuration and the control plane together. A part that dies
while starting is restarted; when it died three times the start is given up with the end of its log.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.cli.local import leftovers, postgres, probes
from controlplane.cli.local.children import Child, Command, Say, StartError
from controlplane.cli.local.layout import Layout, Lock
from controlplane.cli.local.leftovers import MARK

_START_SECONDS = 90.0
_MAX_EARLY_STARTS = 3
_INTERVAL = 0.03


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen about a local gateway."""

    state: Path = Path(".kagami")
    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes a free one."""
    control_planes: int = 1
    workers: int = 1
    busy_poll_ms: int = 0
    """How long each process of the planes waits awake after a call; costs a core each."""
    drain_seconds: float = 30.0
    environment: Mapping[str, str] = field(default_factory=dict)
    """Further settings of the planes, over this process's own environment."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program run beside the gateway; ready when `address` (host:port) accepts connections."""

    name: str
    argv: tuple[str, ...]
    address: str


class Stack:
    """A local gateway. `start`, then `stop`; both may be called once."""

    def __init__(self, options: Options, say: Say) -> None:
        self.options = options
        self.port = options.port
        self.children: dict[str, Child] = {}
        self._say = say
        self._lock: Lock | None = None
        self.layout: Layout
        self._place: postgres.Place
        self._housekeeping: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """host:port of the gateway."""
        return f"{self.options.host}:{self.port}"

    @property
    def controlplanes(self) -> list[str]:
        """Endpoints of the control planes."""
        return [f"unix:{self.layout.run}/cp-{n}.sock" for n in range(self.options.control_planes)]

    @property
    def dataplanes(self) -> list[str]:
        """Endpoints of the data-plane workers."""
        return [f"unix:{self.layout.run}/dp-{n}.sock" for n in range(self.options.workers)]

    @property
    def envoy_admin(self) -> str:
        """Envoy's admin interface, a unix socket only this user can open."""
        return f"unix:{self.layout.run}/envoy.sock"

    @property
    def database_url(self) -> str:
        """URL of the embedded database."""
        return self._place.url

    async def start(self, extra: Sequence[Program] = ()) -> None:
        """Start everything, and programs besides the gateway's own.

        Raises StateError or StartError; call `stop` in any case.
        """
        self.layout = Layout.open(self.options.state)
        self._lock = self.layout.lock()
        ended = await asyncio.to_thread(leftovers.end, self.layout.state)
        if ended:
            self._say(f"ended {ended} processes of an earlier run that was killed")
        self.layout.clear_run()
        self.port = free_port(self.options.host, self.options.port)
        self._place = await asyncio.to_thread(postgres.place, self.layout)
        await asyncio.to_thread(postgres.prepare, self._place)
        deadline = time.monotonic() + _START_SECONDS
        await self._launch(postgres.command(self._place, self._log("postgres")))
        # Python programs take longer to import than PostgreSQL to start; the control plane waits for it where it must.
        for number in range(self.options.control_planes):
            await self._launch(self._controlplane(number))
        await self._launch(self._dataplane())
        for program in extra:
            command = Command(program.name, program.argv, self._environment(), self._log(program.name))
            await self._launch(command)
        await self._ready("postgres", lambda: probes.postgres(self._place.url), deadline)
        for number, endpoint in enumerate(self.controlplanes):
            await self._ready(f"controlplane-{number}", _probe(probes.grpc_health, endpoint), deadline)
        await self._launch(self._envoy())
        for endpoint in self.dataplanes:
            await self._ready("dataplane", _probe(probes.grpc_health, endpoint), deadline)
        for program in extra:
            await self._ready(program.name, _probe(probes.listening, program.address), deadline)
        await self._ready("envoy", _probe(probes.envoy, self.envoy_admin), deadline)
        await self._ready("envoy", _probe(probes.gateway, self._loopback()), deadline)
        self._announce()
        self._housekeeping = asyncio.create_task(self._trim_logs())

    async def stop(self, force: asyncio.Event | None = None) -> None:
        """Let requests in flight finish, then stop the parts; `force` cuts the waiting short."""
        try:
            if self._housekeeping is not None:
                self._housekeeping.cancel()
            if "envoy" in self.children:
                await self._drain(force or asyncio.Event())
            for name in [n for n in self.children if n not in self._own]:
                await self._stop(name)
            # The data plane hands its last audit entries to the control plane, which writes to PostgreSQL.
            for name in ("envoy", "dataplane"):
                await self._stop(name)
            planes = [name for name in self.children if name.startswith("controlplane")]
            await asyncio.gather(*(self._stop(name) for name in planes))
            await self._stop("postgres")
        finally:
            if self._lock is not None:
                self.layout.endpoints.unlink(missing_ok=True)
                self._lock.release()

    async def _launch(self, command: Command) -> None:
        child = Child(command, self._say)
        self.children[command.name] = child
        await child.start()

    async def _stop(self, name: str) -> None:
        child = self.children.get(name)
        if child is not None:
            await child.stop()

    async def _ready(self, name: str, probe: Callable[[], Awaitable[str]], deadline: float) -> None:
        child = self.children[name]
        while reason := await probe():
            if child.starts > _MAX_EARLY_STARTS or time.monotonic() > deadline:
                log = child.command.log
                raise StartError(f"{name} does not start: {reason}\n{child.log_tail()}\nThe whole log: {log}")
            await asyncio.sleep(_INTERVAL)

    async def _drain(self, force: asyncio.Event) -> None:
        try:
            await probes.http(self.envoy_admin, "POST", "/drain_listeners?graceful&skip_exit")
        except (OSError, TimeoutError):
            return
        deadline = time.monotonic() + self.options.drain_seconds
        said = False
        while (active := await probes.active_requests(self.envoy_admin)) and not force.is_set():
            if time.monotonic() > deadline:
                self._say(f"{active} requests did not end within {self.options.drain_seconds:.0f} s; ending them")
                return
            if not said:
                self._say(f"waiting for {active} requests in flight (again Ctrl-C to end them)")
                said = True
            await asyncio.sleep(0.05)

    def _announce(self) -> None:
        said = {
            "pid": os.getpid(),
            "gateway": f"http://{self._loopback()}",
            "controlplanes": self.controlplanes,
            "dataplanes": self.dataplanes,
            "envoy_admin": self.envoy_admin,
            "processes": {name: child.pid for name, child in self.children.items()},
        }
        draft = self.layout.endpoints.with_suffix(".new")
        draft.write_text(json.dumps(said, indent=2))
        draft.rename(self.layout.endpoints)

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(60)
            for child in self.children.values():
                await asyncio.to_thread(child.trim_log)

    def _loopback(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.options.host, self.options.host)  # noqa: S104
        return f"{host}:{self.port}"

    @property
    def _own(self) -> set[str]:
        planes = {f"controlplane-{number}" for number in range(self.options.control_planes)}
        return {"postgres", "dataplane", "envoy"} | planes

    def _log(self, name: str) -> Path:
        return self.layout.logs / f"{name}.log"

    def _environment(self, **settings: str) -> dict[str, str]:
        common = {
            "PYTHONUNBUFFERED": "1",
            # Numerical libraries must not start a thread pool per process.
            "OMP_NUM_THREADS": "1",
            "KAGAMI_BUSY_POLL_MS": str(self.options.busy_poll_ms),
            MARK: str(self.layout.state),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAGAMI_")}
        return inherited | common | settings | dict(self.options.environment)

    def _controlplane(self, number: int) -> Command:
        name = f"controlplane-{number}"
        env = self._environment(
            KAGAMI_NODE=name,
            KAGAMI_LISTEN=self.controlplanes[number],
            KAGAMI_DATABASE_URL=self._place.url,
            KAGAMI_JOURNAL_DIR=str(self.layout.journals / f"cp-{number}"),
            KAGAMI_KEY_PEPPER_FILE=str(self.layout.secret("key-pepper")),
            KAGAMI_GATEWAY_LISTEN=self.address,
            KAGAMI_CONTROLPLANE_ENDPOINTS=",".join(self.controlplanes),
            KAGAMI_DATAPLANE_ENDPOINTS=",".join(self.dataplanes),
        )
        return Command(name, (sys.executable, "-m", "controlplane"), env, self._log(name))

    def _dataplane(self) -> Command:
        env = self._environment(
            KAGAMI_NODE="dataplane",
            KAGAMI_LISTEN=f"unix:{self.layout.run}/dp-{{worker}}.sock",
            KAGAMI_WORKERS=str(self.options.workers),
            KAGAMI_CONTROLPLANE_ENDPOINTS=",".join(self.controlplanes),
            KAGAMI_JOURNAL_DIR=str(self.layout.journals),
            KAGAMI_HASH_KEY_FILE=str(self.layout.secret("hash-key")),
            KAGAMI_SPACY_PIPELINES=os.environ.get("KAGAMI_SPACY_PIPELINES", ""),
        )
        return Command("dataplane", (sys.executable, "-m", "dataplane"), env, self._log("dataplane"))

    def _envoy(self) -> Command:
        from controlplane.cli.local.envoy import command, threads_beside

        return command(
            self.layout,
            controlplanes=self.controlplanes,
            admin=self.envoy_admin,
            threads=threads_beside(self.options.workers),
            env=self._environment(),
            log=self._log("envoy"),
        )


def _probe(ask: Callable[[str], Awaitable[str]], endpoint: str) -> Callable[[], Awaitable[str]]:
    return lambda: ask(endpoint)


def free_port(host: str, port: int) -> int:
    """The port, when nothing listens on it (0: any). Envoy itself would share it silently (SO_REUSEPORT).

    Raises StartError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise StartError(f"port {port} on {host} cannot be used: {reason}; choose another with --port") from None
        return int(probe.getsockname()[1])
