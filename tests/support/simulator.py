"""Run the simulated provider as a process, and talk to its control endpoints."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx


class Simulator:
    """A running simulator: `url` without a path, orders and records through its control endpoints."""

    def __init__(self, url: str, pid: int, verify: str | bool = True) -> None:
        self.url, self.pid = url, pid
        self._http = httpx.Client(base_url=url, timeout=10, verify=verify, trust_env=False)

    def base(self, provider: str) -> str:
        return f"{self.url}/{provider}/v1"

    def order(self, provider: str = "", model: str = "", times: int = 1, **behaviour: Any) -> None:
        order = {"provider": provider, "model": model, "times": times, "behaviour": behaviour}
        reply = self._http.post("/_sim/behaviour", content=json.dumps(order))
        assert reply.status_code == 200, reply.text

    def clear_orders(self) -> None:
        self._http.delete("/_sim/behaviour").raise_for_status()

    def clear(self) -> None:
        self.clear_orders()
        self._http.delete("/_sim/records").raise_for_status()

    def records(self, since: int = 0) -> list[dict[str, Any]]:
        reply = self._http.get("/_sim/records", params={"since": since, "limit": 100_000})
        listed: list[dict[str, Any]] = reply.raise_for_status().json()["records"]
        return listed

    def last_number(self) -> int:
        records = self.records()
        return records[-1]["number"] if records else 0

    def totals(self) -> dict[str, dict[str, int]]:
        answer: dict[str, dict[str, int]] = self._http.get("/_sim/totals").raise_for_status().json()
        return answer

    def wait(self, holds: Callable[[list[dict[str, Any]]], bool], seconds: float = 5) -> list[dict[str, Any]]:
        """The records, as soon as they satisfy a condition."""
        deadline = time.monotonic() + seconds
        while not holds(records := self.records()):
            assert time.monotonic() < deadline, f"the simulator's records never did: {records}"
            time.sleep(0.01)
        return records

    def close(self) -> None:
        self._http.close()


@contextlib.contextmanager
def simulator_process(*options: str, verify: str | bool = True) -> Iterator[Simulator]:
    """A simulator on a free loopback port, ended with the block."""
    command = [sys.executable, "-m", "controlplane.simulator", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"(https?://[0-9.]+:\d+)/", line)
        assert found, f"the simulator did not start: {line}{process.stderr.read()}"
        # Keep the pipe empty so that the simulator can never block on it.
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        simulator = Simulator(found[1], process.pid, verify)
        yield simulator
        simulator.close()
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()
