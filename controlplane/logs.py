"""Logs go to stderr, as JSON lines or for a terminal; events have names, never sentences with values in
them.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TextIO

import structlog


def configure(level: str, form: str) -> None:
    """Sets up structlog and, for libraries that use it, `logging`. `form` is json or console."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if form == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Frames and messages, no local variables: those could hold what a client sent.
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(Lossy(sys.stderr)),  # type: ignore[arg-type]  # all it uses of one
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=Lossy(sys.stderr))


class Lossy:
    """A stream that loses what it cannot write: a full disk costs log lines, never the request that wrote them."""

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
