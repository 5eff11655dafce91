from __future__ import annotations

import subprocess
import sys

from support.simulator import simulator_process


def test_it_runs_as_a_process_and_takes_orders() -> None:
    with simulator_process("--chunk-chars", "2") as simulator:
        simulator.order(provider="a", status=503)
        assert simulator.records() == []
        assert simulator.totals() == {}
        simulator.clear()


def test_a_certificate_without_a_key_is_wrong_usage() -> None:
    command = [sys.executable, "-m", "controlplane.simulator", "--tls-cert", "x.pem"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--tls-cert and --tls-key go together" in done.stderr


def test_a_taken_port_is_said_plainly() -> None:
    with simulator_process() as simulator:
        port = simulator.url.rpartition(":")[2]
        command = [sys.executable, "-m", "controlplane.simulator", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
