"""A real data plane behind a real Envoy, with a control plane of two services: policies down, audit entries up."""

from __future__ import annotations

import contextlib
import os
import signal
import string
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kagamichain.chain import GENESIS, Frame, Head
from kagamichain.verify import verify
from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT, ExchangeContext, PolicyRef, Prices, Target
from kagamipb.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from kagamipb.policy.v1 import policy_pb2, policy_pb2_grpc
from support.envoy import Envoy
from support.provider import free_port

ROOT = Path(__file__).parents[2]
PRICES = Prices(version="v1", input_pico_usd_per_token=1_000, output_pico_usd_per_token=2_000)


class ControlPlane(policy_pb2_grpc.PolicyFeedServicer, ledger_pb2_grpc.LedgerServicer):
    """Feeds `policies` once and keeps every frame, verified."""

    def __init__(self, policies: Sequence[policy_pb2.RedactionPolicy]) -> None:
        self._snapshot = policy_pb2.PolicySnapshot(format=1, revision="1", policies=policies)
        self._frames: dict[str, list[Frame]] = {}
        self._stopped = False

    def Watch(self, request: Any, context: Any) -> Iterator[policy_pb2.PolicySnapshot]:
        yield self._snapshot
        while context.is_active() and not self._stopped:
            time.sleep(0.05)

    def Ship(self, request: ledger_pb2.ShipRequest, context: Any) -> ledger_pb2.ShipReply:
        chain = self._frames.setdefault(request.writer, [])
        new = [Frame(f.seq, f.link, f.entry) for f in request.frames if f.seq > len(chain)]
        verify(request.writer, new, after=Head(chain[-1].seq, chain[-1].link) if chain else Head(0, GENESIS))
        chain += new
        return ledger_pb2.ShipReply(acked_seq=len(chain))

    def stop(self) -> None:
        self._stopped = True

    def entries(self, request_id: str) -> list[ledger_pb2.AuditEntry]:
        """What the ledger was told of a request, oldest first."""
        found = [
            ledger_pb2.AuditEntry.FromString(f.entry) for chain in list(self._frames.values()) for f in list(chain)
        ]
        return [entry for entry in found if entry.request_id == request_id]

    def closed(self, request_id: str, count: int = 1, seconds: float = 5) -> list[ledger_pb2.Closed]:
        """The `Closed` entries of a request, waiting for `count` of them."""
        deadline = time.monotonic() + seconds
        while True:
            ended = [entry.closed for entry in self.entries(request_id) if entry.WhichOneof("event") == "closed"]
            if len(ended) >= count:
                return ended
            assert time.monotonic() < deadline, f"{len(ended)} of {count} closed entries for {request_id}"
            time.sleep(0.02)


@dataclass
class Rig:
    """Everything running, and what a test needs to talk to it."""

    directory: Path
    control: ControlPlane
    envoy: Envoy
    process: subprocess.Popen[bytes]
    ports: tuple[int, int]
    policies: dict[str, policy_pb2.RedactionPolicy] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.envoy.port('gateway')}/v1/chat/completions"

    def decision(self, request_id: str, policy: str = "strict", providers: str = "ab", **more: Any) -> dict[str, str]:
        """The headers that authz would have set."""
        chain = [
            Target(
                provider=name, model=f"model-{name}", dialect=DIALECT_OPENAI_CHAT, base_path="/api/v1", prices=PRICES
            )
            for name in providers
        ]
        context = ExchangeContext(
            request_id=request_id,
            tenant="acme",
            key_id="key-1",
            policy=PolicyRef(name=policy, version=self.policies[policy].version),
            client_dialect=DIALECT_OPENAI_CHAT,
            model_asked="m",
            chain=chain,
            route_reason="priority",
            **more,
        )
        return {"x-kagami-exchange": urlsafe_b64encode(context.SerializeToString()).decode().rstrip("=")}

    def log(self) -> str:
        return (self.directory / "dataplane.log").read_text()

    def wait_until_serving(self) -> None:
        _wait_until_serving(f"unix:{self.directory}/dp-0.sock", self.directory)

    def workers(self) -> list[int]:
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]


@contextlib.contextmanager
def running(directory: Path, policies: Sequence[policy_pb2.RedactionPolicy], **env: str) -> Iterator[Rig]:
    """Control plane, data plane and Envoy."""
    directory.mkdir(parents=True, exist_ok=True)
    control = ControlPlane(policies)
    server = grpc.server(futures.ThreadPoolExecutor(8))
    policy_pb2_grpc.add_PolicyFeedServicer_to_server(control, server)
    ledger_pb2_grpc.add_LedgerServicer_to_server(control, server)
    server.add_insecure_port(f"unix:{directory}/cp.sock")
    server.start()
    process = _start(directory, env)
    ports = (free_port(), free_port())
    try:
        _wait_until_serving(f"unix:{directory}/dp-0.sock", directory)
        text = (ROOT / "envoy" / "static.yaml").read_text().replace('"${provider_a}"', "${provider_a}")
        text = text.replace('"${provider_b}"', "${provider_b}")
        config = string.Template(text).substitute(
            dataplane=directory / "dp-0.sock", provider_a=ports[0], provider_b=ports[1]
        )
        envoy = Envoy.start(config, directory / "envoy")
        try:
            yield Rig(directory, control, envoy, process, ports, {policy.name: policy for policy in policies})
        finally:
            envoy.stop()
    finally:
        control.stop()
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        server.stop(0)


def _start(directory: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    settings = {
        "KAGAMI_LISTEN": f"unix:{directory}/dp-{{worker}}.sock",
        "KAGAMI_CONTROLPLANE_ENDPOINTS": f"unix:{directory}/cp.sock",
        "KAGAMI_JOURNAL_DIR": str(directory / "journal"),
        "KAGAMI_HASH_KEY": "k" * 32,
        "KAGAMI_DRAIN_SECONDS": "5",
        **env,
    }
    with (directory / "dataplane.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dataplane"], cwd=ROOT, stderr=log, env={**os.environ, **settings}
        )


def _wait_until_serving(address: str, directory: Path, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while True:
            with contextlib.suppress(grpc.RpcError):
                if stub.Check(health_pb2.HealthCheckRequest(), timeout=1).status == 1:
                    return
            assert time.monotonic() < deadline, (directory / "dataplane.log").read_text()
            time.sleep(0.05)
