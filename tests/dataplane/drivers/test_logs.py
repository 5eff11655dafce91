from __future__ import annotations

import contextlib
from pathlib import Path

import orjson
import structlog
from structlog.testing import capture_logs

from dataplane.drivers.logs import Complaint, Lossy, configure, fault


def raised(message):
    try:
        raise ValueError(message)  # noqa: TRY301
    except ValueError as error:
        return error


def test_an_error_is_logged_by_type_and_place_never_by_its_words():
    told = fault(raised("cannot read 佐藤太郎"))
    assert told["error"] == "ValueError"
    assert "test_logs.py:" in told["at"]
    assert "佐藤" not in str(told)


def test_the_status_of_a_failed_call_is_named():
    class Call(Exception):
        def code(self):
            class Code:
                name = "UNAVAILABLE"

            return Code

    assert fault(Call())["error"] == "Call UNAVAILABLE"


def test_what_repeats_is_said_at_once_and_then_now_and_then():
    now = [0.0]
    complain = Complaint("ledger.unreachable", lambda: now[0], every=10)
    with capture_logs() as logs:
        for now[0] in (0.0, 1.0, 2.0, 11.0, 12.0):
            complain(raised("x"))
    assert [(line["event"], line["failures"]) for line in logs] == [
        ("ledger.unreachable", 1),
        ("ledger.unreachable", 3),
    ]


def test_lines_are_json_with_their_context(capsys):
    before = structlog.get_config()
    try:
        configure("info", "json", node="n-1")
        structlog.get_logger().debug("quiet")
        structlog.get_logger().info("worker.ready", revision="7")
    finally:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
    [line] = capsys.readouterr().err.splitlines()
    told = orjson.loads(line)
    assert (told["event"], told["node"], told["revision"], told["level"]) == ("worker.ready", "n-1", "7", "info")


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else():
    with Path("/dev/full").open("w", buffering=1) as full:
        stream = Lossy(full)
        stream.write("a line\n")
        stream.flush()
        with contextlib.suppress(OSError):
            full.close()
