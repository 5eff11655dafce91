"""The parts as on several machines: TCP between them, the cluster token, an Envoy started from `kagami bootstrap`."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from envoy.service.auth.v3 import external_auth_pb2, external_auth_pb2_grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from envoy.service.ext_proc.v3 import external_processor_pb2, external_processor_pb2_grpc
from kagamipb.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from kagamipb.policy.v1 import policy_pb2, policy_pb2_grpc
from kagamirpc.token import metadata
from support import envoy
from support.postgres import PostgresServer
from support.simulator import Simulator, simulator_process
from support.stack import BASE, KEY, KEYS, kagami

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

TOKEN = "cluster-token-0123456789-0123456789"
ADMIN_TOKEN = "admin-token-0123456789"
CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"


def free_ports() -> int:
    """The first of two free ports in a row."""
    while True:
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            two.bind(("127.0.0.1", port + 1))
            return port


@dataclass
class Parts:
    """A control plane and a data plane on loopback ports, and what they print."""

    folder: Path
    control: str
    authz: str
    worker: str

    def start(self, module: str, **settings: str) -> subprocess.Popen[bytes]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("KAGAMI_")}
        with (self.folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", module], env=outside | settings, stderr=log)

    def controlplane(self, database_url: str) -> subprocess.Popen[bytes]:
        return self.start(
            "controlplane",
            KAGAMI_DATABASE_URL=database_url,
            KAGAMI_LISTEN=self.control,
            KAGAMI_JOURNAL_DIR=str(self.folder / "cp"),
            KAGAMI_KEY_PEPPER="p" * 32,
            KAGAMI_ADMIN_TOKEN=ADMIN_TOKEN,
            KAGAMI_GATEWAY_LISTEN="127.0.0.1:0",
            KAGAMI_DATAPLANE_ENDPOINTS=self.worker,
            KAGAMI_CLUSTER_TOKEN=TOKEN,
        )

    def dataplane(self, *, listen: str, token: str, journal: str) -> subprocess.Popen[bytes]:
        return self.start(
            "dataplane",
            KAGAMI_LISTEN=listen,
            KAGAMI_CONTROLPLANE_ENDPOINTS=self.control,
            KAGAMI_JOURNAL_DIR=str(self.folder / journal),
            KAGAMI_HASH_KEY="k" * 32,
            KAGAMI_DRAIN_SECONDS="1",
            KAGAMI_CLUSTER_TOKEN=token,
        )

    def bootstrap(self, token: str) -> str:
        done = kagami(
            "bootstrap", "--node", "envoy-1", "--controlplane", self.control, env={"KAGAMI_CLUSTER_TOKEN": token}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))


def wait(holds: Callable[[], bool], what: Callable[[], str], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with simulator_process("--interval-ms", "0") as running:
        yield running


@pytest.fixture(scope="module")
def parts(
    postgres: PostgresServer, migrated_template: str, tmp_path_factory: pytest.TempPathFactory, simulator: Simulator
) -> Iterator[Parts]:
    port, database = free_ports(), postgres.create(migrated_template)
    made = Parts(
        tmp_path_factory.mktemp("net"), f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}", f"127.0.0.1:{free_ports()}"
    )
    processes = [
        made.controlplane(postgres.url(database)),
        made.dataplane(listen=made.worker, token=TOKEN, journal="dp"),
    ]
    try:
        wait(lambda: kagami("health", made.control, made.authz, made.worker).returncode == 0, made.logs)
        applied = kagami(
            "apply", "--address", made.control, "-f", "-",
            stdin=BASE.replace("SIMULATOR", simulator.base("only-this")),
            env=KEYS | {"KAGAMI_ADMIN_TOKEN": ADMIN_TOKEN},
        )  # fmt: skip
        assert applied.returncode == 0, applied.stderr
        yield made
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)
        postgres.drop(database)


def code(call: Callable[[], object]) -> grpc.StatusCode:
    """How a call ended."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code()  # type: ignore[attr-defined,no-any-return]  # it is a grpc.Call as well
    return grpc.StatusCode.OK


def ended(parts: Parts, shown: tuple[tuple[str, str], ...]) -> dict[str, grpc.StatusCode]:
    """What each service between the parts answers a caller that shows this."""
    options = {"metadata": shown, "timeout": 5}
    discovery = discovery_pb2.DiscoveryRequest(type_url=CLUSTER)
    headers = external_processor_pb2.ProcessingRequest(request_headers={})
    with contextlib.ExitStack() as stack:
        control, authz, worker = (
            stack.enter_context(grpc.insecure_channel(address))
            for address in (parts.control, parts.authz, parts.worker)
        )
        ads = ads_pb2_grpc.AggregatedDiscoveryServiceStub(control)
        feed = policy_pb2_grpc.PolicyFeedStub(control)
        ledger = ledger_pb2_grpc.LedgerStub(control)
        checks = external_auth_pb2_grpc.AuthorizationStub(authz)
        redaction = external_processor_pb2_grpc.ExternalProcessorStub(worker)
        return {
            "ads": code(lambda: next(ads.StreamAggregatedResources(iter([discovery]), **options))),
            "feed": code(lambda: next(feed.Watch(policy_pb2.WatchRequest(node="x"), **options))),
            "ledger": code(lambda: ledger.Ship(ledger_pb2.ShipRequest(writer="x"), **options)),
            "authz": code(lambda: checks.Check(external_auth_pb2.CheckRequest(), **options)),
            "redaction": code(lambda: next(redaction.Process(iter([headers]), **options))),
        }


@pytest.mark.parametrize("shown", [(), metadata(TOKEN[:-1]), metadata(ADMIN_TOKEN), (("authorization", TOKEN),)])
def test_nothing_between_the_parts_answers_without_the_token(parts: Parts, shown: tuple[tuple[str, str], ...]) -> None:
    assert set(ended(parts, shown).values()) == {grpc.StatusCode.UNAUTHENTICATED}


def test_everything_between_the_parts_answers_with_the_token(parts: Parts) -> None:
    assert set(ended(parts, metadata(TOKEN)).values()) == {grpc.StatusCode.OK}


def test_the_cluster_token_does_not_administer(parts: Parts) -> None:
    refused = kagami("status", "--address", parts.control, env={"KAGAMI_ADMIN_TOKEN": TOKEN})
    assert refused.returncode == 1
    assert "refuses" in refused.stderr


def test_a_request_is_answered_through_an_envoy_that_has_the_token(parts: Parts, tmp_path: Path) -> None:
    body = {"model": "only-this", "messages": [{"role": "user", "content": "hello"}]}
    with envoy.running(parts.bootstrap(TOKEN), tmp_path) as running:
        url = f"http://127.0.0.1:{running.port('gateway')}/v1/chat/completions"

        def answered() -> bool:
            reply = httpx.post(url, json=body, headers={"authorization": f"Bearer {KEY}"}, trust_env=False, timeout=20)
            return reply.status_code == 200

        wait(answered, lambda: running.log() + parts.logs())
        assert running.stat("cluster_manager.cds.update_success") > 0
        assert running.stat("listener_manager.lds.update_success") > 0
        assert TOKEN not in running.log()
    assert TOKEN not in parts.logs()


def test_an_envoy_with_another_token_learns_nothing(parts: Parts, tmp_path: Path) -> None:
    with envoy.running(parts.bootstrap("x" * 32), tmp_path) as running:
        wait(lambda: running.stat("cluster.kagami_controlplane.upstream_rq_total") > 1, running.log)
        # It counts as connected from the moment it asks until it is refused, again and again.
        wait(lambda: running.stat("control_plane.connected_state") == 0, running.log)
        assert running.stat("cluster_manager.cds.update_success") == 0
        assert running.stat("listener_manager.lds.update_success") == 0
        assert "provider_only-this" not in running.config_dump()
        assert running.admin("/listeners").strip() == ""


def test_a_data_plane_with_another_token_gets_no_policies_and_serves_nobody(parts: Parts) -> None:
    listen = f"127.0.0.1:{free_ports()}"
    process = parts.dataplane(listen=listen, token="x" * 32, journal="other")
    try:
        wait(lambda: "AioRpcError UNAUTHENTICATED" in parts.logs(), parts.logs)
        assert "not serving yet" in kagami("health", listen).stderr
    finally:
        process.terminate()
        process.wait(20)
