"""A reservation as text: which replica holds how much of which quota windows for one request.

It travels in the exchange context and in the request's audit entries, so that whoever receives the final
entry can settle it without having seen anything else, in any order and on any replica.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kagamipb.admin.v1.admin_pb2 import Unit


class WindowKey(NamedTuple):
    """One window of one quota; `start` in Unix seconds, 0 = lifetime, -L = rolling over L
    seconds (see `windows`).
    """

    quota_id: str
    start: int


class Hold(NamedTuple):
    """An amount set aside in one quota window.

    A quota of one `provider` is charged for that provider's attempts only.
    """

    key: WindowKey
    unit: Unit
    amount: int
    provider: str


class Reservation(NamedTuple):
    """Everything set aside for one request out of one owner's leases."""

    owner: str
    holds: tuple[Hold, ...]


UNMETERED = "unmetered"
"""Owner of what was never leased to anyone: requests that passed while no quota could be asked."""


class ReservationError(ValueError):
    """The text is no reservation."""


def label(key: WindowKey, unit: Unit, provider: str) -> tuple[str, str]:
    """How a hold is written, before and after its amount: on the request path only the amount is new."""
    return f"|{key.quota_id},{key.start},{int(unit)},", f",{provider}"


def encode(reservation: Reservation) -> str:
    """`owner|quota,start,unit,amount,provider|…`; none of the names holds a comma or a bar."""
    text = reservation.owner
    for hold in reservation.holds:
        before, after = label(hold.key, hold.unit, hold.provider)
        text += f"{before}{hold.amount}{after}"
    return text


@lru_cache(maxsize=2048)  # the ledger asks several times about each of the requests it is just folding
def decode(text: str) -> Reservation:
    """The inverse of `encode`. Raises ReservationError."""
    owner, *parts = text.split("|")
    if not owner or not parts:
        raise ReservationError("a reservation names its owner and at least one quota")
    return Reservation(owner, tuple(_hold(part) for part in parts))


def _hold(part: str) -> Hold:
    try:
        quota_id, start, unit, amount, provider = part.split(",")
        hold = Hold(WindowKey(quota_id, int(start)), Unit.Name(int(unit)) and int(unit), int(amount), provider)  # type: ignore[arg-type]
    except ValueError as error:
        raise ReservationError("a hold is quota, window, unit, amount and provider") from error
    if hold.amount < 0:
        raise ReservationError("a hold is never negative")
    return hold
