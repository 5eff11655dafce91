"""What a decision needs from outside itself, as interfaces: budget and a forecast of input and output.

Implemented by `controlplane.ledger` (`QuotaGate`) and `domain.forecast` (`UsageForecast`). Every value is frozen;
refusals are values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from kagamipb.admin.v1.admin_pb2 import Unit


class Demand(NamedTuple):
    """What one request may use, for every quota that matches it.

    A tuple, because one is made for every request: a frozen dataclass of this size takes four times as long.
    """

    request_id: str
    tenant: str
    key_id: str
    user: str
    model: str
    """The route's model, as the client asked for it."""
    providers: tuple[str, ...]
    """Every provider of the chain; a quota on a provider counts if that provider may be called."""
    micro_usd: int
    """Estimated cost at the dearest target of the chain: input_tokens, output_tokens and the per-request
    price.
    """
    input_tokens: int
    """Counted or estimated; rather too many than too few."""
    output_tokens: int
    """Expected: the smaller of the client's own limit and `UsageForecast.expected_output`."""
    output_limit: int = 0
    """The client's own max_tokens / max_completion_tokens times its choices; 0 = none given."""
    pico_usd_per_output_token: int = 0
    """Dearest output or reasoning price in the chain; lets the gate turn room that is left into tokens."""
    key: str = ""
    """The virtual key's name, by which manifests narrow a quota."""
    team: str = ""
    unmetered: bool = False
    """The request passes even if no quota can be asked."""
    streamed: bool = False
    """The answer is a stream: the data plane meters it and asks for more when it outgrows what is held."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What a stream under way may need beyond its reservation."""

    request_id: str
    tenant: str
    provider: str
    """That is streaming."""
    reservation_id: str
    """Of the request."""
    output_tokens: int
    """Further ones wanted."""
    pico_usd_per_output_token: int


class Guess(NamedTuple):
    """An estimate of input tokens, and how far to trust it before anything was learned."""

    tokens: int
    p95_permille: int
    """The share of the estimate, in thousandths, that covers 95 of 100 texts."""


class RateLimit(NamedTuple):
    """How a quota with a short window stands, as last heard of: other replicas' requests come in late."""

    counts: Literal["requests", "tokens"]
    limit: int
    remaining: int
    """Not negative."""
    resets_at: float
    """Unix seconds."""


class Granted(NamedTuple):
    """Every quota has room and holds it for this request until the ledger settles it."""

    reservation_id: str
    """Goes into the exchange context and every audit entry, unread; "" when no quota matched."""
    max_output_tokens: int
    """The most output the provider may be asked for (for all choices together); 0 = no clamp needed."""
    limits: tuple[RateLimit, ...] = ()
    """The tightest of each kind among those with a short window."""
    unmetered: bool = False
    """No quota could be asked, and the demand passes all the same: the reservation names what to settle, nothing is
    held.
    """
    paid_output_tokens: int = 0
    """Output tokens the reservation pays for; 0 = no quota counts output."""


class Exhausted(NamedTuple):
    """A quota has no room left for this request."""

    quota: str
    """Name of the tightest quota."""
    unit: Unit
    cap: int
    resets_at: float | None
    """Unix seconds when its window ends; None = never."""
    limits: tuple[RateLimit, ...] = ()
    """As in `Granted`."""
    provider: str = ""
    """The only provider it counts; empty = whatever provider is asked."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Whether there is room cannot be said now: PostgreSQL is away and the leases held are used up."""


Reservation = Granted | Exhausted | Unavailable


class QuotaGate(Protocol):
    """Grants or refuses budget. In the steady state without a database call."""

    async def reserve(self, demand: Demand, now: float) -> Reservation:
        """Decide, waiting at most two seconds for room that is about to come free.

        `now`: Unix seconds. Never raises. The ledger releases what is not used when it sees the request's
        final audit entry; a request that is granted and then fails before its `Admitted` entry is written
        is given back with `cancel`.
        """
        ...

    async def extend(self, growth: Growth) -> Reservation:
        """Hold more for a stream under way: as many of the wanted tokens as there is room for, without waiting for
        others to free some.

        The grant is a reservation beside the first one (`reservation_id` is "" when no quota counts output any
        more) and pays for `paid_output_tokens`. Never raises. The ledger frees it with the request.
        """
        ...

    def cancel(self, granted: Granted) -> None:
        """Give back a reservation no audit entry mentions."""
        ...


class UsageForecast(Protocol):
    """How much requests like this one have used."""

    def expected_output(self, tenant: str, model: str) -> int:
        """95th percentile of recent output tokens, over all choices; a bounded default while too few are known."""
        ...

    def expected_input(self, tenant: str, model: str, guess: Guess) -> int:
        """Input tokens to hold for a request about to be admitted: the guess, corrected by what providers reported."""
        ...
