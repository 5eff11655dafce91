from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from controlplane.logs import Lossy

PROGRAM = """
import structlog
from controlplane import logs
logs.configure({level!r}, {form!r})
log = structlog.get_logger()
def decide(body):
    log.info("quiet")
    try:
        raise ValueError("refused")
    except ValueError:
        log.exception("failed", node="鏡")
decide("山田太郎")
"""


def run(level: str, form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(level=level, form=form)], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_json_is_one_object_a_line_on_stderr() -> None:
    quiet, failed = (json.loads(line) for line in run("info", "json").splitlines())
    assert (quiet["event"], quiet["level"]) == ("quiet", "info")
    assert failed["node"] == "鏡"
    assert "ValueError: refused" in failed["exception"]


def test_a_traceback_shows_no_values() -> None:
    for form in ("json", "console"):
        assert '"山田太郎"' not in run("info", form).replace('decide("山田太郎")', "")


def test_levels_below_the_chosen_one_are_silent() -> None:
    assert "quiet" not in run("warning", "console")


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else() -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        stream = Lossy(full)
        stream.write("a line\n")
        stream.flush()
        with contextlib.suppress(OSError):
            full.close()
