"""Starts what is measured: a simulated provider, one Envoy in front of it, and the whole gateway in front of it.

Every process listens on loopback and ends with the block. The gateway runs with one control plane and one data-plane
worker and is configured through `kagami apply`, as a user would; two tenants differ only in whether their policy detects.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controlplane.cli.local.envoy import binary

KEYS = {"PII off": "sk-bench-detection-off-0000", "PII on": "sk-bench-detection-on-00000"}

_OBJECTS = """
policies:
  - {{name: "off", enabled: false, rules: []}}
  - {{name: "on", enabled: true, rules: [{{entity: "*", request: pseudonym, response: replace}}]}}
tenants:
  - {{name: bench-off, policy: "off"}}
  - {{name: bench-on, policy: "on"}}
keys:
  - {{tenant: bench-off, name: k, secret: "env:BENCH_KEY_OFF", models: ["*"]}}
  - {{tenant: bench-on, name: k, secret: "env:BENCH_KEY_ON", models: ["*"]}}
providers:
  - {{name: sim, dialect: openai_chat, url: "http://127.0.0.1:{port}/sim/v1"}}
routes:
  - {{model: bench, targets: [sim]}}
prices:
  - {{provider: sim, model: bench, input: "0.15", output: "0.60"}}
quotas:
  - {{name: off, tenant: bench-off, unit: micro_usd, window: month, cap: 100000000000}}
  - {{name: on, tenant: bench-on, unit: micro_usd, window: month, cap: 100000000000}}
"""

_DIRECT = """
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {listen}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: direct
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: provider, timeout: 0s}}}}]}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: provider
    connect_timeout: 1s
    load_assignment:
      cluster_name: provider
      endpoints:
      - lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]
"""


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the three ways are, and whose processes to look at."""

    pid: int
    state: Path
    """State directory of the gateway."""
    gateway_port: int
    direct_port: int
    provider_port: int

    def port(self, way: str) -> int:
        return self.direct_port if way == "direct" else self.gateway_port

    def target(self, way: str) -> tuple[str, str, str | None]:
        """Path, host header and key."""
        path = "/sim/v1/chat/completions" if way == "direct" else "/v1/chat/completions"
        return path, f"127.0.0.1:{self.port(way)}", KEYS.get(way)


@contextlib.contextmanager
def running(workers: int = 1, busy_poll_ms: int = 0) -> Iterator[Stack]:
    """The three ways, ready. Raises RuntimeError with the log's end when a part does not start."""
    with tempfile.TemporaryDirectory(prefix="kagami-bench-") as folder, contextlib.ExitStack() as cleanup:
        root = Path(folder)
        # PostgreSQL's data stays in here, and ends with it, where its user may pass (root runs it as another).
        root.chmod(0o711)
        provider, direct = unused_port(), unused_port()
        kagami = [str(Path(sys.executable).with_name("kagami"))]
        start_process(
            cleanup, root / "provider.log", [*kagami, "simulator", "--port", str(provider), "--interval-ms", "5"]
        )
        config = root / "direct.yaml"
        config.write_text(_DIRECT.format(listen=direct, port=provider))
        options = ["--disable-hot-restart", "--concurrency", "2", "-l", "error"]
        start_process(cleanup, root / "direct.log", [binary(), "-c", str(config), *options])
        state = root / "state"
        up = [*kagami, "up", "--state", str(state), "--port", "0", "--workers", str(workers)]
        up += ["--busy-poll-ms", str(busy_poll_ms)]
        gateway = start_process(cleanup, root / "up.log", up)
        _wait((state / "endpoints.json").exists, root / "up.log", gateway)
        objects = root / "objects.yaml"
        objects.write_text(_OBJECTS.format(port=provider))
        keys = {"BENCH_KEY_OFF": KEYS["PII off"], "BENCH_KEY_ON": KEYS["PII on"]}
        apply = [*kagami, "apply", "-f", str(objects), "--state", str(state)]
        subprocess.run(apply, check=True, env={**os.environ, **keys}, stdout=subprocess.DEVNULL)
        address = json.loads((state / "endpoints.json").read_text())["gateway"]
        stack = Stack(gateway.pid, state, int(address.rpartition(":")[2]), direct, provider)
        for way in ("direct", *KEYS):
            _wait(lambda way=way: _answers(stack, way), root / "up.log", gateway)
        yield stack


def _answers(stack: Stack, way: str) -> bool:
    path, host, key = stack.target(way)
    body = json.dumps({"model": "bench", "messages": [{"role": "user", "content": "準備"}]}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"http://{host}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def start_process(
    cleanup: contextlib.ExitStack, log: Path, command: list[str], env: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A process that ends with `cleanup`, its output in `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=env)
    cleanup.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(ready: object, log: Path, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    assert callable(ready)
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the stack does not start; end of {log.name}:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def unused_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
