"""What one HTTP request says, as values: everything `decide` may look at besides the body's fields.

Header names arrive in lower case from Envoy. Values a caller may choose freely (user, tags) are cut to a
length that is safe to store; a traceparent that is not one is dropped (W3C Trace Context, section 3.2.2:
restart the trace).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

MAX_USER_CHARS: Final = 256
_MAX_TAGS: Final = 16
_MAX_TAG_CHARS: Final = 64
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Facts:
    """One request as presented; nothing here is trusted yet."""

    method: str
    path: str
    """Without the query."""
    key_digest: bytes | None
    """What the presented key is known by; None when none was presented."""
    body: bytes
    partial: bool
    """The body is longer than Envoy's buffer, and `body` only its beginning."""
    user: str = ""
    traceparent: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    live: frozenset[str] | None = None
    """Providers the asking Envoy holds completely; None = it did not say."""


def read(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    digest: Callable[[str], bytes],
    *,
    live: frozenset[str] | None = None,
) -> Facts:
    """The facts of one request; `target` may hold a query, `digest` turns a secret into what it is known
    by, `live` is what Envoy (not the client) says of itself.
    """
    secret = presented_secret(headers)
    trace = headers.get("traceparent", "")
    return Facts(
        method=method,
        path=target.partition("?")[0],
        key_digest=digest(secret) if secret else None,
        body=body,
        # Set by Envoy itself whenever it sends a body, over any copy of a client's.
        partial=headers.get("x-envoy-auth-partial-body") == "true",
        user=clean(headers.get("x-kagami-user", ""), MAX_USER_CHARS),
        traceparent=trace if _TRACEPARENT.fullmatch(trace) else "",
        tags=_tags(headers.get("x-kagami-tags", "")),
        live=live,
    )


def clean(text: str, most: int) -> str:
    """A caller's text, fit to be stored, logged and sent in a header: cut, and without invisible
    characters.
    """
    text = text[:most]
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def presented_secret(headers: Mapping[str, str]) -> str:
    """The key a client presents: bearer token, or the headers Anthropic's and Azure's SDKs use; "" when
    none.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return (headers.get("x-api-key") or headers.get("api-key") or "").strip()


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    pairs = (part.partition("=") for part in text.split(",")[:_MAX_TAGS])
    return tuple(
        (clean(name.strip(), _MAX_TAG_CHARS), clean(value.strip(), _MAX_TAG_CHARS))
        for name, equals, value in pairs
        if equals and name.strip()
    )
