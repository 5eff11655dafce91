"""A real Envoy for one test: started from any bootstrap, asked through its admin interface, stopped by pid.

Ports are Envoy's to choose: give listeners `port_value: 0` and ask `Envoy.port(name)`. The admin interface is always
moved to a free loopback port. Everything Envoy prints goes to `envoy.log` in the directory of the test; `Envoy.log()`
reads it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envoy._bin as envoy_binary
import yaml

BINARY = Path(envoy_binary.__file__).with_name("envoy")
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class EnvoyError(Exception):
    """Envoy did not start or did not do in time what the test waited for; ends with its last log lines."""


@dataclass
class Envoy:
    """One running process. Use `running()`; `stop()` is safe to call twice."""

    process: subprocess.Popen[bytes]
    directory: Path
    admin_address: str

    @classmethod
    def start(cls, config: Mapping[str, Any] | str, directory: Path, *, concurrency: int = 1,
              arguments: tuple[str, ...] = (), seconds: float = 20) -> Envoy:  # fmt: skip
        """Start from a bootstrap (mapping or YAML text) and wait until the admin interface answers.

        Raises EnvoyError when Envoy rejects the bootstrap.
        """
        directory.mkdir(parents=True, exist_ok=True)
        bootstrap = dict(yaml.safe_load(config) if isinstance(config, str) else config)
        bootstrap["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
        path = directory / "bootstrap.json"
        path.write_text(json.dumps(bootstrap))
        address = directory / "admin.address"
        address.unlink(missing_ok=True)
        with (directory / "envoy.log").open("wb") as log:
            process = subprocess.Popen(
                [str(BINARY), "-c", str(path), "--admin-address-path", str(address), "--concurrency", str(concurrency),
                 "--disable-hot-restart", "--drain-time-s", "2", "-l", "info", *arguments],
                stdout=log, stderr=subprocess.STDOUT, cwd=directory,
            )  # fmt: skip
        self = cls(process, directory, "")
        try:
            self._wait(lambda: address.exists() and address.read_text().strip() != "", "start", seconds)
            self.admin_address = address.read_text().strip()
            self._wait(self._answers, "answer on its admin interface", seconds)
        except EnvoyError:
            self.stop()
            raise
        return self

    def admin(self, path: str, method: str = "GET") -> str:
        """Text of an admin endpoint, for example `/stats?filter=x`."""
        request = urllib.request.Request(f"http://{self.admin_address}{path}", method=method)
        with _NO_PROXY.open(request, timeout=5) as reply:
            return str(reply.read().decode())

    def port(self, listener: str, seconds: float = 15) -> int:
        """Port of a TCP listener, waiting until it is active."""
        self._wait(lambda: listener in self._ports(), f"activate listener {listener}", seconds)
        return self._ports()[listener]

    def stat(self, name: str) -> int:
        """One counter or gauge; 0 when Envoy has not created it yet."""
        reply = json.loads(self.admin(f"/stats?format=json&filter=^{name.replace('.', '[.]')}$"))
        return next((int(stat["value"]) for stat in reply["stats"] if stat.get("name") == name), 0)

    def config_dump(self) -> str:
        """The whole configuration as Envoy holds it, secrets redacted by Envoy."""
        return self.admin("/config_dump")

    def log(self) -> str:
        """Everything printed so far, access log to stdout included."""
        return (self.directory / "envoy.log").read_text(errors="replace")

    def wait_for(self, text: str, path: str = "/config_dump", seconds: float = 15) -> None:
        """Wait until an admin endpoint contains a text."""
        self._wait(lambda: text in self.admin(path), f"show {text!r} under {path}", seconds)

    def wait_for_log(self, text: str, seconds: float = 15) -> None:
        """Wait until the log contains a text."""
        self._wait(lambda: text in self.log(), f"log {text!r}", seconds)

    def stop(self) -> None:
        """Terminate and reap."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        with contextlib.suppress(urllib.error.URLError, OSError):
            return bool(self.admin("/server_info"))
        return False

    def _ports(self) -> dict[str, int]:
        reply = json.loads(self.admin("/listeners?format=json"))
        statuses = reply.get("listener_statuses", [])
        found = {s["name"]: s["local_address"].get("socket_address", {}).get("port_value", 0) for s in statuses}
        return {name: port for name, port in found.items() if port}

    def _wait(self, condition: Any, what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            ended = self.process.poll()
            if ended is not None or time.monotonic() > deadline:
                why = f"it exited with {ended}" if ended is not None else f"not within {seconds} s"
                tail = "\n".join(self.log().splitlines()[-25:])
                raise EnvoyError(f"Envoy did not {what}: {why}\n{tail}")
            time.sleep(0.01)


@contextlib.contextmanager
def running(config: Mapping[str, Any] | str, directory: Path, **options: Any) -> Iterator[Envoy]:
    """`Envoy.start`, stopped at the end of the block."""
    started = Envoy.start(config, directory, **options)
    try:
        yield started
    finally:
        started.stop()


def validate(config: Mapping[str, Any] | str, directory: Path) -> str:
    """What `envoy --mode validate` says; empty when the configuration is accepted."""
    bootstrap = yaml.safe_load(config) if isinstance(config, str) else config
    path = directory / "validate.json"
    path.write_text(json.dumps(bootstrap))
    done = subprocess.run(
        [str(BINARY), "-c", str(path), "--mode", "validate", "--disable-hot-restart", "-l", "error"],
        capture_output=True, text=True, check=False, cwd=directory,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr
