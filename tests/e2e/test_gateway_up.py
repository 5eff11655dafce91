"""`kagami up` as people and machines treat it: twice, on a busy port, killed outright, stopped in mid-stream."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from support.simulator import Simulator, simulator_process
from support.stack import BASE, KEYS, Gateway, Stack, kagami, state_directory

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with simulator_process() as running:
        yield running


@pytest.fixture
def state() -> Iterator[Path]:
    with state_directory() as made:
        yield made


@contextlib.contextmanager
def up(state: Path, simulator: Simulator, *options: str) -> Iterator[Gateway]:
    stack = Stack(state, *options)
    try:
        stack.apply(BASE.replace("SIMULATOR", simulator.base("only-this")), env=KEYS)
        yield Gateway(stack, simulator)
    finally:
        stack.stop(signal.SIGINT)


def left_over(state: Path) -> list[psutil.Process]:
    """Processes that still belong to a state directory."""
    from controlplane.cli.local import leftovers

    return leftovers.find(state.absolute())


def test_a_second_one_on_the_same_state_is_refused_and_says_where_the_first_is(
    state: Path, simulator: Simulator
) -> None:
    with up(state, simulator) as gateway:
        done = kagami("up", "--state", str(state), "--port", "0")
        assert done.returncode == 1
        assert f"already running on {state} (process {gateway.stack.process.pid}, {gateway.stack.url})" in done.stderr
        assert kagami("doctor", "--state", str(state)).returncode == 0
    assert left_over(state) == []
    assert not (state / "endpoints.json").exists()


def test_a_busy_port_is_refused_with_advice(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = kagami("up", "--state", str(state), "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be used: Address already in use; choose another with --port" in done.stderr


def test_a_missing_envoy_is_named(state: Path) -> None:
    done = kagami("up", "--state", str(state), "--port", "0", env={"KAGAMI_ENVOY": "/nonexistent/envoy"})
    assert done.returncode == 1
    assert "cannot run envoy (/nonexistent/envoy): No such file or directory" in done.stderr
    assert left_over(state) == []


def test_after_everything_was_killed_it_simply_works_again_with_its_data(state: Path, simulator: Simulator) -> None:
    with up(state, simulator) as gateway:
        gateway.wait_live("only-this")
        family = [gateway.stack.process.pid, *(p.pid for p in psutil.Process(gateway.stack.process.pid).children(True))]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    again = Stack(state)
    try:
        Gateway(again, simulator).wait_live("only-this")
        assert again.verify()["entries"] > 0
    finally:
        assert again.stop() == 0


def test_after_only_its_supervisor_was_killed_the_next_one_takes_over(state: Path, simulator: Simulator) -> None:
    with up(state, simulator) as gateway:
        gateway.wait_live("only-this")
        os.kill(gateway.stack.process.pid, signal.SIGKILL)
        gateway.stack.process.wait()
        assert left_over(state)
    again = Stack(state)
    try:
        assert any("of an earlier run that was killed" in line for line in again.lines)
        Gateway(again, simulator).wait_live("only-this")
    finally:
        again.stop()
    assert left_over(state) == []


@pytest.mark.parametrize("name", ["postgres", "controlplane-0", "dataplane", "envoy"])
def test_a_part_that_dies_is_started_again_with_a_clear_line(shared: Gateway, name: str) -> None:
    said = len(shared.stack.lines)
    shared.stack.child(name).kill()
    shared.stack.wait_for(f"{name} was ended by SIGKILL; starting again in 0.2 s", since=said)
    shared.wait_live("only-this", 30)


@pytest.fixture(scope="module")
def shared(simulator: Simulator) -> Iterator[Gateway]:
    with state_directory() as state, up(state, simulator) as gateway:
        yield gateway


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_stream_in_flight_is_finished_before_it_stops(
    state: Path, simulator: Simulator, number: signal.Signals
) -> None:
    with up(state, simulator) as gateway:
        gateway.wait_live("only-this")
        body = {"model": "only-this", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        body |= {"sim": {"content": "a" * 60, "chunk_chars": 1, "interval_ms": 40}}
        with gateway.stack.http() as http, http.stream("POST", "/chat/completions", json=body) as reply:
            pieces = reply.iter_text()
            text = next(pieces)
            gateway.stack.process.send_signal(number)
            gateway.stack.wait_for("waiting for 1 requests in flight")
            text += "".join(pieces)
        assert "[DONE]" in text
        assert gateway.stack.process.wait(30) == 0
    assert left_over(state) == []


def test_a_second_signal_ends_the_waiting(state: Path, simulator: Simulator) -> None:
    with up(state, simulator) as gateway:
        gateway.wait_live("only-this")
        body = {"model": "only-this", "messages": [{"role": "user", "content": "x"}], "sim": {"hang": True}}

        def hang() -> None:
            with contextlib.suppress(httpx.HTTPError), gateway.stack.http() as http:
                http.post("/chat/completions", json=body)

        thread = threading.Thread(target=hang)
        thread.start()
        while not [r for r in simulator.records() if r["outcome"] == "open"]:
            time.sleep(0.02)
        gateway.stack.process.send_signal(signal.SIGINT)
        gateway.stack.wait_for("waiting for 1 requests in flight")
        gateway.stack.process.send_signal(signal.SIGINT)
        assert gateway.stack.process.wait(30) == 0
        thread.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs every test here anyway")
def test_an_ordinary_user_can_run_it() -> None:
    from controlplane.cli.local.postgres_programs import reachable

    if not reachable(Path(sys.executable).resolve().parent, pwd.getpwuid(65534)):
        pytest.skip("this interpreter is private to root")
    with state_directory() as state:
        os.chown(state.parent, 65534, 65534)
        command = [sys.executable, "-m", "controlplane.cli", "up", "--state", str(state), "--port", "0"]
        env = {"PATH": os.environ["PATH"], "HOME": str(state.parent)}
        options = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/", "env": env}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "Kagami answers on" in line:
                process.send_signal(signal.SIGTERM)
        process.stderr.close()
        assert process.wait(30) == 0, lines
        assert any("Kagami answers on" in line for line in lines), lines
