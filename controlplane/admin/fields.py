"""Checks of single fields: each takes what was written and gives the value meant, or raises FieldError.
Pure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from controlplane.domain.webhooks import loopback

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MODEL: Final = re.compile(r"[!-~]{1,256}")
_HOST_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z)(?:{_HOST_LABEL}\.)*{_HOST_LABEL}")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_ENV: Final = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_FILE: Final = re.compile(r"/[^\x00-\x1f]+")
_MAX_TEXT: Final = 256
_MAX_TIMEOUT_MS: Final = 3_600_000
_MAX_URL: Final = 2048
_MAX_PERCENTS: Final = 16


class FieldError(ValueError):
    """What a field should be."""


@dataclass(frozen=True, slots=True)
class Address:
    """Parts of a provider's URL."""

    tls: bool
    host: str
    port: int
    base_path: str


def name(text: str) -> str:
    """A name of ours: it becomes part of cluster names, paths and log lines."""
    if not _NAME.fullmatch(text):
        raise FieldError("must be 1 to 63 lower-case letters, digits and '-', not beginning or ending with '-'")
    return text


def model(text: str) -> str:
    """A model's name: whatever providers call theirs."""
    if not _MODEL.fullmatch(text):
        raise FieldError("must be 1 to 256 visible ASCII characters without spaces")
    return text


def text(value: str) -> str:
    """Free text for people, on one line."""
    if len(value) > _MAX_TEXT or not value.replace("\u3000", " ").isprintable():
        raise FieldError(f"must have at most {_MAX_TEXT} characters, all of them visible")
    return value


def url(value: str) -> Address:
    """https://host[:port]/base, or http:// on trusted networks."""
    # urlsplit would drop line breaks and tabs without a word.
    if not value.isprintable() or " " in value:
        raise FieldError("holds spaces or invisible characters")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise FieldError("is not a URL: expected https://host[:port]/path") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise FieldError("must be https://host[:port]/path (or http:// on a trusted network)")
    if parts.username is not None or parts.password is not None:
        raise FieldError("must hold no user or password: give the credential as key_ref")
    if parts.query or parts.fragment:
        raise FieldError("must end with the path of the API, such as https://host/v1")
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path):
        raise FieldError("has a path with characters other than letters, digits and ._~-")
    tls = parts.scheme == "https"
    if port == 0:
        raise FieldError("has port 0")
    return Address(tls, host(parts.hostname), port or (443 if tls else 80), path)


def webhook_url(value: str) -> str:
    """Where alerts go: https://host[:port]/path, or http:// to this very machine."""
    if not value.isprintable() or not value.isascii() or " " in value or len(value) > _MAX_URL:
        raise FieldError(f"holds spaces or characters that are not ASCII, or more than {_MAX_URL} of them")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise FieldError("is not a URL: expected https://host[:port]/path") from None
    if not parts.hostname or port == 0:
        raise FieldError("is not a URL: expected https://host[:port]/path")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise FieldError("must hold no user, password or fragment")
    name = host(parts.hostname)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(name)):
        raise FieldError("must be https:// (http:// only to this very machine)")
    return value


def percents(values: Iterable[int], default: tuple[int, ...]) -> tuple[int, ...]:
    """Percentages of a cap, ascending; nothing stands for the default, a single 0 for none at all."""
    listed = tuple(values)
    if listed == (0,):
        return ()
    if len(listed) > _MAX_PERCENTS or len(set(listed)) != len(listed) or not all(1 <= one <= 100 for one in listed):
        raise FieldError(f"must be at most {_MAX_PERCENTS} different percentages from 1 to 100 (or 0 alone, for none)")
    return tuple(sorted(listed)) or default


def host(value: str) -> str:
    """A host name or a literal address."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        if not _HOST.fullmatch(value):
            raise FieldError("has no valid host name") from None
        return value.lower()


def key_ref(value: str) -> str:
    """`env:NAME`, `file:/path` or empty. Our own secrets cannot be named: they must never reach a
    provider.
    """
    if not value or (value.startswith("file:") and _FILE.fullmatch(value.removeprefix("file:"))):
        return value
    match = _ENV.fullmatch(value)
    if match is None:
        raise FieldError("must be env:NAME or file:/absolute/path (never the key itself)")
    if match[1].upper().startswith("KAGAMI_"):
        raise FieldError("must not name one of the gateway's own settings")
    return value


def file(value: str) -> str:
    """An absolute path, or empty."""
    if value and not _FILE.fullmatch(value):
        raise FieldError("must be an absolute path")
    return value


def timeout_ms(value: int, default: int) -> int:
    """Milliseconds; 0 stands for the default."""
    if value > _MAX_TIMEOUT_MS:
        raise FieldError(f"must be at most {_MAX_TIMEOUT_MS}")
    return value or default
