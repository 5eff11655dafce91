"""The secret that the parts of one deployment share: KAGAMI_CLUSTER_TOKEN, sent as `authorization: Bearer …`.

Over a unix socket the mode of its file says who may call. Over TCP whoever holds the token may: Envoy to the control
plane (ADS, ext_authz) and to the workers (ext_proc), workers to the control plane (policies, audit journals). Health
checks stay open; administration has a token of its own.

Guarantees: comparison takes the same time whatever was sent; no header, two of them, or another scheme is a refusal.
Limits: the token proves membership and encrypts nothing, so that TCP between the parts belongs on a network of their
own; there is one token at a time, and changing it restarts every part, Envoy included.
Source: RFC 6750 section 2.1. Its alphabet has no `%`, which Envoy would read as a command in a metadata value.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

LEAST_CHARS = 32
HEADER = "authorization"
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def parse(text: str) -> str:
    """The token as configured. Raises ValueError, which never repeats the text."""
    if len(text) < LEAST_CHARS or _B64TOKEN.fullmatch(text) is None:
        allowed = "letters, digits and '-._~+/', with '=' at the end only"
        raise ValueError(f"must have at least {LEAST_CHARS} characters, {allowed}: try `openssl rand -hex 32`")
    return text


def metadata(token: str | None) -> tuple[tuple[str, str], ...]:
    """What a caller adds to each call; nothing without a token."""
    return ((HEADER, f"Bearer {token}"),) if token else ()


def admits(token: str, headers: Iterable[tuple[str | bytes, str | bytes]]) -> bool:
    """Whether a call with these headers, or this gRPC metadata, presents the token."""
    sent = [_octets(value) for name, value in headers if _octets(name) == HEADER.encode()]
    return len(sent) == 1 and hmac.compare_digest(sent[0], f"Bearer {token}".encode())


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
