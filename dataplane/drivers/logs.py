"""Logging of the data plane: structured, to standard error, without a word of what was said.

`fault` is how errors are logged: their type and where they were raised. Never their message: exceptions of JSON
parsers and detectors quote what they choked on.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any, TextIO

import structlog


def configure(level: str, style: str, **context: Any) -> None:
    """Set up logging for this process; `context` is on every line."""
    renderer: Any = structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(Lossy(sys.stderr)),  # type: ignore[arg-type]  # all it uses of one
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(**context)


class Lossy:
    """A stream that loses what it cannot write: a full disk costs log lines, never the exchange that wrote them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As a text stream's, without its errors."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As a text stream's, without its errors."""
        with contextlib.suppress(OSError):
            self._stream.flush()


class Complaint:
    """A failure that repeats: said at once, then every `every` seconds with how often it was."""

    def __init__(self, event: str, clock: Callable[[], float], every: float = 30.0) -> None:
        self._event, self._clock, self._every = event, clock, every
        self._said: float | None = None
        self._count = 0

    def __call__(self, error: Exception, **more: str) -> None:
        """It failed again."""
        self._count += 1
        now = self._clock()
        if self._said is None or now - self._said >= self._every:
            structlog.get_logger().warning(self._event, failures=self._count, **fault(error), **more)
            self._said, self._count = now, 0


def fault(error: BaseException) -> dict[str, str]:
    """What may be logged of an error."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = (f"{_module(frame.filename)}:{frame.lineno}" for frame in frames)
    code = getattr(error, "code", None)
    name = f"{type(error).__name__} {code().name}" if callable(code) else type(error).__name__
    return {"error": name, "at": " > ".join(places)}


def _module(filename: str) -> str:
    return "/".join(filename.rsplit("/", 2)[-2:])
