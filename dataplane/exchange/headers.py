"""Which headers pass, in both directions: named ones only, everything else is removed.

To a provider go content type, accept and our own user agent: no address, no id, no internal header, no cookie, no
credential (the hop injects its own behind us). To a client go content type, caching and retry-after: a provider's
request ids and organisation names stay here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dataplane.exchange.context import Attempt
from dataplane.exchange.events import Headers

RETRY = "x-kagami-retry"
"""`1` asks Envoy's outer router for the next provider; it removes the header."""
REQUEST_ID = "x-kagami-request-id"

_TO_PROVIDER = frozenset({"content-type", "content-length", "accept", "user-agent", "host"})
_TO_CLIENT = frozenset({"content-type", "content-length", "cache-control"})
_RETRY_AFTER = re.compile(rb"[0-9]{1,6}", re.ASCII)


def to_provider(headers: Headers, path: str, length: int, *, stream: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """(headers to set, headers to remove) on the request."""
    made = {
        ":path": path,
        "content-type": "application/json",
        "content-length": str(length),
        "accept": "text/event-stream" if stream else "application/json",
        "user-agent": "kagami",
    }
    return made, _others(headers, _TO_PROVIDER)


def to_client(headers: Headers, added: Mapping[str, str], *, stream: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """(headers to set, headers to remove) on the response."""
    kind = "text/event-stream; charset=utf-8" if stream else "application/json"
    return {"content-type": kind, "cache-control": "no-store", **added}, _others(headers, _TO_CLIENT)


def _others(headers: Headers, kept: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in headers if name not in kept and not name.startswith(":"))


def exchange_headers(attempt: Attempt, received_sha256: str, pii: Mapping[str, int]) -> dict[str, str]:
    """What a client learns about its exchange."""
    context = attempt.context
    shown = {
        REQUEST_ID: context.request_id,
        "x-kagami-provider": attempt.target.provider,
        "x-kagami-model": attempt.target.model,
        "x-kagami-route-reason": context.route_reason,
        "x-kagami-request-sha256": received_sha256,
        "x-kagami-pii": counts(pii.items()),
    }
    return {name: value for name, value in shown.items() if value}


def counts(items: Iterable[tuple[str, int]]) -> str:
    """`ADDRESS=2,PERSON=1`: entities in order of their names."""
    return ",".join(f"{entity}={number}" for entity, number in sorted(items))


def retry_after(headers: Headers) -> str | None:
    """The provider's retry-after when it is a number of seconds; dates and anything else are dropped."""
    value = headers.get("retry-after", b"")
    return value.decode() if _RETRY_AFTER.fullmatch(value) else None
