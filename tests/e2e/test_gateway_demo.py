"""`kagami demo`: every claim it makes holds, and it stays on request."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from support.stack import kagami, state_directory

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_every_claim_of_the_demo_holds_twice_in_a_row() -> None:
    with state_directory() as state:
        for _ in range(2):
            done = kagami("demo", "--state", str(state), "--port", "0")
            assert done.returncode == 0, done.stdout + done.stderr
            assert "✗" not in done.stdout
            assert done.stdout.count("✓") >= 12


def test_it_stays_on_request_and_the_curl_line_works() -> None:
    with state_directory() as state:
        command = [sys.executable, "-m", "controlplane.cli", "demo", "--keep", "--state", str(state), "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        text = ""
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        for line in process.stdout:
            text += line
            if "running until Ctrl-C" in line:
                break
        found = re.search(r"curl -N (\S+) -H 'authorization: Bearer (\S+)' \\\n.* -d '(\{.*\})'", text)
        assert found, text
        headers = {"authorization": f"Bearer {found[2]}", "content-type": "application/json"}
        reply = httpx.post(found[1], content=found[3].encode(), headers=headers, trust_env=False)
        assert reply.status_code == 200
        assert "[DONE]" in reply.text
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.stdout.close()
        assert process.wait(60) == 0
        watchdog.cancel()
        assert not Path(state / "endpoints.json").exists()
