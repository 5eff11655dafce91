"""The whole gateway as a user runs it: `kagami up` as a process, simulated providers behind it, real SDK clients.

One stack per test session (two control planes, two data-plane workers), on free ports, in a state directory of its own.
Tests place orders with the simulator under a provider name of their own choice and ask the audit trail afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from support.simulator import Simulator, simulator_process

KEY = "sk-kagami-test-0123456789abcdef"
OTHER_KEY = "sk-kagami-other-0123456789abcde"
PROVIDER_KEY = "sk-provider-alpha-0123456789"
BACKUP_KEY = "sk-provider-beta-9876543210"


def kagami(*arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "controlplane.cli", *arguments],
        input=stdin,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


class Stack:
    """A running `kagami up`."""

    def __init__(self, state: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.state = state
        self.lines: list[str] = []
        command = [sys.executable, "-m", "controlplane.cli", "up", "--state", str(state), "--port", "0"]
        # The same on every machine, unless asked for otherwise.
        command += ["--workers", "1", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | (env or {}))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.wait_for("Kagami answers on", 90)
        except AssertionError:
            self.stop()
            raise
        self.said: dict[str, Any] = json.loads((state / "endpoints.json").read_text())
        self.url: str = self.said["gateway"]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, text: str, seconds: float = 20, since: int = 0) -> None:
        """Until `kagami up` says something."""
        deadline = time.monotonic() + seconds
        while not any(text in line for line in list(self.lines)[since:]):
            ended = self.process.poll()
            assert ended is None or "stopped" in text, f"kagami up ended with {ended}: {self.lines}"
            assert time.monotonic() < deadline, f"kagami up never said {text!r}: {self.lines}"
            time.sleep(0.02)

    def apply(self, text: str, *options: str, env: dict[str, str] | None = None) -> dict[str, Any]:
        done = kagami("apply", "-f", "-", "--json", "--state", str(self.state), *options, stdin=text, env=env)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def http(self, key: str = KEY) -> httpx.Client:
        """A plain client of the gateway."""
        headers = {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=f"{self.url}/v1", headers=headers, timeout=30, trust_env=False)

    def record(self, request_id: str, seconds: float = 15) -> dict[str, Any]:
        """The audit record of a request, once it is closed."""
        return self.closed([request_id], seconds)[request_id]

    def closed(self, request_ids: Iterable[str], seconds: float = 15) -> dict[str, dict[str, Any]]:
        """The audit records of requests, once all are closed; each has exactly one. `seconds` without another one
        found are too many: asking for thousands takes longer than any one of them.
        """
        import grpc
        from kagamipb.admin.v1.admin_pb2 import AuditQuery

        from controlplane.cli.audit import record_dict

        deadline, open_ids, found = time.monotonic() + seconds, set(request_ids), {}
        while open_ids:
            # The database may be away for a moment: that is among the things tested.
            with contextlib.suppress(grpc.RpcError), self.admin() as stub:
                for request_id in list(open_ids):
                    reply = stub.Audit(AuditQuery(request_id=request_id, limit=10), timeout=10)
                    records = [record_dict(record) for record in reply.records]
                    if records and _complete(records[0]):
                        assert len(records) == 1, records
                        found[request_id] = records[0]
                        open_ids.discard(request_id)
                        deadline = time.monotonic() + seconds
            assert time.monotonic() < deadline, f"{len(open_ids)} have no closed audit record: {list(open_ids)[:3]}"
            time.sleep(0.05 if open_ids else 0)
        return found

    @contextlib.contextmanager
    def admin(self) -> Iterator[Any]:
        """An AdminStub on the first control plane that answers."""
        import grpc
        from kagamipb.admin.v1.admin_pb2 import StatusRequest
        from kagamipb.admin.v1.admin_pb2_grpc import AdminStub

        for endpoint in self.said["controlplanes"]:
            with grpc.insecure_channel(endpoint) as channel:
                stub = AdminStub(channel)
                try:
                    stub.Status(StatusRequest(), timeout=3)
                except grpc.RpcError:
                    continue
                yield stub
                return
        raise AssertionError("no control plane answers")

    def verify(self) -> dict[str, Any]:
        """`kagami audit verify` on the running gateway."""
        done = kagami("audit", "verify", "--json", "--state", str(self.state))
        assert done.returncode == 0, done.stderr + done.stdout
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def child(self, name: str) -> psutil.Process:
        """A part's process: postgres, controlplane-0, dataplane, envoy."""
        marks = {"postgres": "postgres", "dataplane": "dataplane", "envoy": "envoy.yaml"}
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if name.startswith("controlplane-"):
                    wanted = line.endswith("-m controlplane") and process.environ().get("KAGAMI_NODE") == name
                else:
                    wanted = marks[name] in line
                if wanted:
                    return process
        raise AssertionError(f"{name} is not running")

    def workers(self) -> list[psutil.Process]:
        """Data-plane workers."""
        return self.child("dataplane").children()

    def log(self, name: str) -> str:
        return (self.state / "logs" / f"{name}.log").read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal and wait; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@contextlib.contextmanager
def state_directory() -> Iterator[Path]:
    """A short path, so that sockets fit; removed with whatever PostgreSQL kept elsewhere."""
    state = Path(tempfile.mkdtemp(prefix="kg-"))
    state.chmod(0o755)
    try:
        yield state / "s"
    finally:
        identity = state / "s" / "secrets" / "identity"
        if identity.exists():
            shutil.rmtree(Path("/var/lib/kagami") / identity.read_text()[:16], ignore_errors=True)
        shutil.rmtree(state, ignore_errors=True)


class Gateway:
    """A stack with its simulator, and unique providers, routes and keys on demand."""

    def __init__(self, stack: Stack, simulator: Simulator) -> None:
        self.stack = stack
        self.simulator = simulator

    def route(self, *behaviours: dict[str, Any], **extra: Any) -> Route:
        """A model of its own with one provider per behaviour, live when this returns; an endless order makes each
        behave so.
        """
        name = f"m{uuid.uuid4().hex[:10]}"
        providers = [f"{name}-{number}" for number in range(len(behaviours) or 1)]
        lines = [self._provider(p, self.simulator.base(p), **extra) for p in providers]
        text = "providers:\n" + "".join(lines) + "prices:\n"
        text += "".join(f"  - {{provider: {p}, model: {name}, input: 2.50, output: 10.00}}\n" for p in providers)
        text += f"routes:\n  - {{model: {name}, targets: [{', '.join(providers)}]}}\n"
        self.stack.apply(text)
        self.wait_live(name)
        for provider, behaviour in zip(providers, behaviours, strict=False):
            if behaviour:
                self.simulator.order(provider=provider, times=-1, **behaviour)
        return Route(name, tuple(providers), self, self.simulator.last_number())

    def _provider(self, name: str, url: str, **extra: Any) -> str:
        fields = {"name": name, "url": url, "key": f"file:{self.stack.state.parent}/{name.rpartition('-')[2]}.key"}
        (self.stack.state.parent / f"{name.rpartition('-')[2]}.key").write_text(provider_key(name))
        return "  - " + json.dumps(fields | extra) + "\n"

    def wait_live(self, model: str, seconds: float = 10) -> None:
        """Until every control plane and Envoy route a model: several requests in a row are answered."""
        deadline = time.monotonic() + seconds
        body = {"model": model, "messages": [{"role": "user", "content": "."}], "sim": {"content": "."}}
        with self.stack.http() as http:
            answered = 0
            while answered < 4:
                try:
                    reply = http.post("/chat/completions", json=body)
                    answered, said = (answered + 1 if reply.status_code == 200 else 0), reply.text
                except httpx.TransportError as error:
                    answered, said = 0, str(error)
                assert time.monotonic() < deadline, said
                time.sleep(0.01)


def provider_key(name: str) -> str:
    """The credential every provider of this position is given."""
    return f"sk-provider-{name.rpartition('-')[2]}-0123456789"


class Route:
    """One model and the providers behind it."""

    def __init__(self, model: str, providers: Sequence[str], gateway: Gateway, since: int) -> None:
        self.model, self.providers, self._gateway, self._since = model, providers, gateway, since

    def records(self, provider: str = "") -> list[dict[str, Any]]:
        """What its providers received."""
        wanted = {provider} if provider else set(self.providers)
        return [record for record in self._gateway.simulator.records(self._since) if record["provider"] in wanted]

    def wait(self, holds: Callable[[list[dict[str, Any]]], bool], seconds: float = 5) -> list[dict[str, Any]]:
        """Its records, as soon as they satisfy a condition."""
        deadline = time.monotonic() + seconds
        while not holds(records := self.records()):
            assert time.monotonic() < deadline, f"never: {records}"
            time.sleep(0.005)
        return records

    def body(self, content: str = "こんにちは", **fields: Any) -> dict[str, Any]:
        """A request."""
        return {"model": self.model, "messages": [{"role": "user", "content": content}]} | fields


def _complete(record: dict[str, Any]) -> bool:
    """Closed, and every attempt there: each worker ships its own journal, so the last may arrive before the first."""
    attempts = record["attempts"]
    missing = bool(attempts) and max(attempt["attempt"] for attempt in attempts) > len(attempts)
    return record["outcome"] not in {"open", ""} and not missing


BASE = """
tenants:
  - {name: acme, policy: redact, time_zone: Asia/Tokyo}
  - {name: other, policy: redact}
policies:
  - name: redact
    enabled: true
    uninspected: block
    rules:
      - {entity: "*", request: pseudonym, response: replace}
providers:
  - {name: only-this, url: SIMULATOR}
routes:
  - {model: only-this, targets: [only-this]}
prices:
  - {provider: only-this, model: only-this, input: 2.50, output: 10.00}
keys:
  - {tenant: acme, name: all, secret: "env:TEST_KEY", models: ["*"]}
  - {tenant: other, name: narrow, secret: "env:TEST_OTHER_KEY", models: ["only-this"]}
"""
KEYS = {"TEST_KEY": KEY, "TEST_OTHER_KEY": OTHER_KEY}


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """The session's shared gateway: two control planes, two workers."""
    with state_directory() as state, simulator_process("--interval-ms", "0") as simulator:
        stack = Stack(state, "--control-planes", "2", "--workers", "2")
        try:
            stack.apply(BASE.replace("SIMULATOR", simulator.base("only-this")), env=KEYS)
            yield Gateway(stack, simulator)
        finally:
            stack.stop()
            if os.environ.get("KAGAMI_TEST_LOGS"):
                shutil.copytree(state / "logs", os.environ["KAGAMI_TEST_LOGS"], dirs_exist_ok=True)
