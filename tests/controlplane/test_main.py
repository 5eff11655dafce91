from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def environment(database_url: str, directory: Path) -> dict[str, str]:
    return os.environ | {
        "KAGAMI_DATABASE_URL": database_url,
        "KAGAMI_LISTEN": f"unix:{directory}/cp.sock",
        "KAGAMI_JOURNAL_DIR": str(directory / "journal"),
        "KAGAMI_KEY_PEPPER": "p" * 32,
        "KAGAMI_DATAPLANE_ENDPOINTS": f"unix:{directory}/none.sock",
    }


def start(env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "controlplane"], env=env, stderr=subprocess.PIPE, text=True)


def wait_until_ready(directory: Path) -> None:
    with grpc.insecure_channel(f"unix:{directory}/cp.sock") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        while True:
            status = health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True).status
            if status == health_pb2.HealthCheckResponse.SERVING:
                return


def test_it_migrates_an_empty_database_serves_and_stops_when_told(empty_database_url: str, tmp_path: Path) -> None:
    with start(environment(empty_database_url, tmp_path)) as process:
        wait_until_ready(tmp_path)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate()
    assert process.returncode == 0, told
    assert "controlplane.stopping" in told


def test_after_sigkill_the_next_process_serves_again(empty_database_url: str, tmp_path: Path) -> None:
    env = environment(empty_database_url, tmp_path)
    with start(env) as process:
        wait_until_ready(tmp_path)
        process.kill()
        process.communicate()
    with start(env) as process:
        wait_until_ready(tmp_path)
        process.terminate()
        _, told = process.communicate()
    assert process.returncode == 0, told


def test_a_second_process_of_the_same_replica_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    env = environment(empty_database_url, tmp_path)
    with start(env) as first:
        wait_until_ready(tmp_path)
        with start(env) as second:
            _, told = second.communicate()
        assert second.returncode == 1
        assert "controlplane.journal_refused" in told
        wait_until_ready(tmp_path)
        first.terminate()
        first.communicate()


def test_wrong_settings_are_all_told_and_end_with_2() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("KAGAMI_")}
    with start(env) as process:
        _, told = process.communicate()
    assert process.returncode == 2
    assert {"KAGAMI_DATABASE_URL", "KAGAMI_KEY_PEPPER", "KAGAMI_JOURNAL_DIR"} <= set(told.split())
