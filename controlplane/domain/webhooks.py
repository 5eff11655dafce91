"""Webhooks: what is said of an alert, how it is signed, when it is tried again, and where it may go. Pure.

Source: Standard Webhooks 1.0 (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; HMAC-SHA256 over
`id.timestamp.body`). The id is the alert's own, so a receiver that sees one twice knows it. A body holds names and
amounts of a quota, nothing of any request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from kagamipb.admin.v1.admin_pb2 import Unit, Window

MOST_ATTEMPTS: Final = 16
"""About five hours of trying."""
LEAST_SECRET_BYTES: Final = 16
_FIRST_SECONDS: Final = 5.0
_MOST_SECONDS: Final = 3600.0
_PREFIX: Final = "whsec_"
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class WebhookError(ValueError):
    """A secret or an address that cannot be used; never says what it is."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A quota whose settled use reached a part of its cap."""

    quota_id: str
    start: int
    """Unix seconds of its window; 0 = lifetime."""
    percent: int
    tenant: str
    quota: str
    unit: Unit
    window: Window
    settled: int
    cap: int
    at_micros: int
    writer: str = ""
    state: str = "waiting"
    attempts: int = 0
    last_status: int = 0

    @property
    def alert_id(self) -> str:
        """The same whoever makes it: one per window and percentage."""
        return f"alert_{self.quota_id}_{self.start}_{self.percent}"


def body(alert: Alert) -> bytes:
    """The JSON document, the same at every attempt."""
    data = {
        "tenant": alert.tenant,
        "quota": alert.quota,
        "unit": _short(Unit.Name(alert.unit)),
        "window": _short(Window.Name(alert.window)),
        "window_start": alert.start,
        "percent": alert.percent,
        "settled": alert.settled,
        "cap": alert.cap,
    }
    at = datetime.fromtimestamp(alert.at_micros / 1e6, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"type": "quota.threshold_reached", "timestamp": at, "data": data}, ensure_ascii=False).encode()


def headers(alert_id: str, timestamp: int, content: bytes, secret: bytes) -> dict[str, str]:
    """What a receiver checks; `timestamp` in Unix seconds, `secret` as `signing_key` gives it."""
    signed = f"{alert_id}.{timestamp}.".encode() + content
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "user-agent": "kagami",
        "webhook-id": alert_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def signing_key(secret: bytes) -> bytes:
    """The key in a secret: base64 after `whsec_`, otherwise the bytes themselves. Raises WebhookError."""
    text = secret.decode("utf-8", "replace").strip()
    key = secret.strip()
    if text.startswith(_PREFIX):
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raise WebhookError("the secret after whsec_ is not base64") from None
    if len(key) < LEAST_SECRET_BYTES:
        raise WebhookError(f"the secret has fewer than {LEAST_SECRET_BYTES} bytes")
    return key


def pause(attempts: int, chance: float) -> float:
    """Seconds until the next attempt after so many; `chance` in [0, 1) spreads them over half of it."""
    most: float = min(_MOST_SECONDS, _FIRST_SECONDS * 2 ** (attempts - 1))
    return most * (0.5 + chance / 2)


def loopback(host: str) -> bool:
    """Whether a name or literal address means this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(address: str, host: str) -> bool:
    """Whether a webhook to `host` may go to the address it resolved to.

    This machine only when it was named, and never link-local ones: there clouds keep their credentials. Private
    networks are allowed, for that is where receivers live.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _embedded(ip) or ip
    if ip.is_loopback:
        return loopback(host)
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address an IPv6 one stands for: mapped, 6to4 (RFC 3056) or NAT64 (RFC 6052)."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _short(name: str) -> str:
    return name.partition("_")[2].lower()
