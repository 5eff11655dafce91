"""The data plane as processes, without Envoy: workers, signals, journals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


class Dataplane:
    def __init__(self, directory, workers, **settings):
        self.log_file = directory / "log"
        env = {
            **os.environ,
            "KAGAMI_LISTEN": f"unix:{directory}/dp-{{worker}}.sock",
            "KAGAMI_WORKERS": str(workers),
            "KAGAMI_CONTROLPLANE_ENDPOINTS": f"unix:{directory}/nobody.sock",
            "KAGAMI_JOURNAL_DIR": str(directory / "journal"),
            "KAGAMI_HASH_KEY": "k" * 32,
            "KAGAMI_DRAIN_SECONDS": "1",
            **settings,
        }
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "dataplane"], cwd=ROOT, env=env, stderr=log)

    def log(self):
        return self.log_file.read_text()

    def wait_for(self, text, count=1, seconds=30):
        deadline = time.monotonic() + seconds
        while self.log().count(text) < count:
            assert time.monotonic() < deadline, f"{text!r} is not {count} times in\n{self.log()}"
            time.sleep(0.02)

    def workers(self):
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def start(tmp_path):
    started = []

    def launch(workers=1, **settings):
        started.append(Dataplane(tmp_path, workers, **settings))
        return started[-1]

    yield launch
    for dataplane in started:
        with contextlib.suppress(ProcessLookupError):
            dataplane.process.kill()
        dataplane.process.wait()


def test_a_worker_that_dies_is_replaced_and_the_others_stay(start):
    dataplane = start(workers=2)
    dataplane.wait_for("worker.listening", 2)
    victim, other = dataplane.workers()
    os.kill(victim, signal.SIGKILL)
    dataplane.wait_for("worker.died")
    dataplane.wait_for("worker.listening", 3)
    now = dataplane.workers()
    assert len(now) == 2
    assert victim not in now
    assert other in now


def test_sigterm_stops_everything_in_order(start):
    dataplane = start(workers=2)
    dataplane.wait_for("worker.listening", 2)
    dataplane.process.send_signal(signal.SIGTERM)
    assert dataplane.process.wait(20) == 0
    assert dataplane.log().count("worker.stopped") == 2
    assert "master.stopped" in dataplane.log()


def test_workers_do_not_outlive_their_master(start):
    dataplane = start(workers=1)
    dataplane.wait_for("worker.listening")
    [worker] = dataplane.workers()
    dataplane.process.kill()
    dataplane.process.wait()
    dataplane.wait_for("worker.stopped")
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and "Z" not in Path(f"/proc/{worker}/stat").read_text().split(")")[1][:3]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_data_plane_on_the_same_journals_says_so(start):
    first = start()
    first.wait_for("worker.listening")
    start().wait_for("worker.journal")


def test_a_pipeline_that_is_not_installed_ends_it_with_a_word_about_the_setting(start):
    dataplane = start(KAGAMI_SPACY_PIPELINES="en=xx_no_such_pipeline")
    assert dataplane.process.wait(30) == 2
    assert "KAGAMI_SPACY_PIPELINES" in dataplane.log()
    assert "pipeline 'xx_no_such_pipeline' for 'en' is not installed and is no folder" in dataplane.log()


def test_a_pipeline_is_loaded_before_workers_fork(start, tmp_path):
    code = "import sys, spacy; spacy.blank('en').to_disk(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "en")], check=True)
    dataplane = start(workers=2, KAGAMI_SPACY_PIPELINES=f"en={tmp_path}/en")
    dataplane.wait_for("worker.listening", count=2, seconds=60)
    dataplane.process.terminate()
    assert dataplane.process.wait(30) == 0
