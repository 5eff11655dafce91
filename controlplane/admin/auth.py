"""Who may call: anyone on the unix socket (its file mode decides), elsewhere whoever has the admin
token.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final

_BEARER: Final = "bearer "


def permitted(peer: str, metadata: Iterable[tuple[str, str | bytes]], token: str | None) -> bool:
    """Whether a caller may administer.

    `peer` is gRPC's name of it ("unix:", "ipv4:…"), `token` the configured one; None leaves the socket
    alone.
    """
    if peer.startswith("unix:"):
        return True
    if token is None:
        return False
    for name, value in metadata:
        if name == "authorization" and isinstance(value, str) and value[: len(_BEARER)].lower() == _BEARER:
            return hmac.compare_digest(value[len(_BEARER) :].encode(), token.encode())
    return False
