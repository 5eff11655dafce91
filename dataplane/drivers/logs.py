"""Logging of the data plane: structured, to standard error, without a word of what was said.

`fault` is how errors are logged: their type and where they were raised. Never their message: exceptions of JSON
parsers and detectors quote what they choked on.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(**context)


def fault(error: BaseException) -> dict[str, str]:
    """What may be logged of an error."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = (f"{_module(frame.filename)}:{frame.lineno}" for frame in frames)
    return {"error": type(error).__name__, "at": " > ".join(places)}


def _module(filename: str) -> str:
    return "/".join(filename.rsplit("/", 2)[-2:])
