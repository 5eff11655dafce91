"""Quota accounts in PostgreSQL: exchanges of leases, settlement, owners that come and go.

Every transaction locks in the same order (requests, then windows by key, then leases), so none waits for
another in a circle. Time is the database's: replicas' clocks play no part. An exchange is numbered by its
owner and remembered with its reply, so that one whose reply was lost can be repeated.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from controlplane.domain.quota import Account
from controlplane.domain.reservation import ReservationError, WindowKey, decode
from controlplane.domain.settlement import Settlement
from controlplane.store.ledger_tables import QUOTA_CHANNEL

OWNER_SECONDS = 30.0
"""How long an owner's leases stay its own after its last exchange."""
_WANTED_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Want:
    """What a replica asks of one window: see `Account.grant`."""

    cap: int
    ends: int
    need: int
    want: int
    floor: int = 0
    squeeze: bool = False


class Lease(NamedTuple):
    """The answer for one window: the amount leased now (may be 0) and the account afterwards."""

    amount: int
    account: Account


class Note(NamedTuple):
    """Something about a window's room: `freed`, or `wanted` by an owner."""

    freed: bool
    key: WindowKey
    owner: str


class OwnerLostError(Exception):
    """The owner is not known any more: its leases were given to others.

    Register anew and start from nothing.
    """


class QuotaStore:
    """Everything the quota gate asks of the database."""

    def __init__(self, engine: AsyncEngine, *, owner_seconds: float = OWNER_SECONDS) -> None:
        self._engine = engine
        self.owner_seconds = owner_seconds

    async def register(self, owner: str, node: str) -> None:
        """Announce an owner; idempotent."""
        async with self._engine.begin() as connection:
            await connection.execute(_REGISTER, {"owner": owner, "node": node, "seconds": self.owner_seconds})

    async def exchange(
        self, owner: str, op: int, gives: Mapping[WindowKey, int], wants: Mapping[WindowKey, Want]
    ) -> dict[WindowKey, Lease]:
        """Give back and lease in one transaction, and stay alive for another `owner_seconds`.

        `op` rises by one with each exchange; the same one again gets the same answer. Raises OwnerLostError.
        """
        async with self._engine.begin() as connection:
            row = (await connection.execute(_RENEW, {"owner": owner, "seconds": self.owner_seconds})).one_or_none()
            if row is None:
                raise OwnerLostError(owner)
            if row.last_op >= op:
                return _remembered(row.last_reply)
            leases = await _exchange(connection, owner, gives, wants)
            reply = [[*key, lease.amount, *_triple(lease.account)] for key, lease in leases.items()]
            await connection.execute(_REMEMBER, {"owner": owner, "op": op, "reply": json.dumps(reply)})
            return leases

    def listen(self) -> AsyncIterator[Note]:
        """Notes as they come; see `listen`."""
        return listen(self._engine)

    async def retire(self, owner: str) -> bool:
        """Take a dead owner's leases back, but for what its unsettled requests hold; False when it is
        unknown.
        """
        async with self._engine.begin() as connection:
            if (await connection.execute(_LOCK_OWNER, {"owner": owner})).one_or_none() is None:
                return False
            rows = (await connection.execute(_LEASES_OF, {"owner": owner})).all()
            # With the windows locked no settlement can come between what is held and what is leased.
            await _lock(connection, [WindowKey(row.quota_id, row.start) for row in rows])
            held = await _held_by(connection, owner)
            surplus = Settlement()
            for row in (await connection.execute(_LEASES_OF, {"owner": owner})).all():
                key = WindowKey(row.quota_id, row.start)
                surplus.release(key, owner, max(0, row.amount - held.get(key, 0)))
            await apply(connection, surplus)
            await connection.execute(_DELETE_OWNER, {"owner": owner})
            return True

    async def owners(self, *, node: str | None = None, expired: bool = False) -> list[str]:
        """Owners of a node, or those whose time is over."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_OWNERS, {"node": node, "expired": expired})
            return [row.owner for row in rows]

    async def forget(self) -> int:
        """Delete windows nobody will ask for again: minutes and hours after two days, others after 400."""
        async with self._engine.begin() as connection:
            return (await connection.execute(_FORGET)).rowcount

    async def accounts(self, quota_ids: Iterable[str]) -> dict[WindowKey, Account]:
        """The accounts of all windows of these quotas."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_ACCOUNTS, {"quota_ids": list(quota_ids)})
            return {WindowKey(r.quota_id, r.start): Account(r.cap, r.settled, r.leased) for r in rows}


async def listen(engine: AsyncEngine) -> AsyncIterator[Note]:
    """Notes as they come, on a connection of their own. Raises psycopg.Error or OSError when it breaks."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=5, application_name="kagami-quota"
    )
    async with connection:
        await connection.execute(f"LISTEN {QUOTA_CHANNEL}")
        async for notification in connection.notifies():
            kind, quota_id, start, *owner = notification.payload.split(" ")
            yield Note(kind == "freed", WindowKey(quota_id, int(start)), "".join(owner))


async def apply(connection: AsyncConnection, settlement: Settlement) -> None:
    """Settle inside the caller's transaction; tells those who wait for room."""
    keys = settlement.windows()
    if not keys:
        return
    locked = {key: wanted for key, _, wanted in await _lock(connection, keys)}
    taken = await _shrink_leases(connection, settlement.released)
    changes = [(key, settlement.settled.get(key, 0), -taken.get(key, 0)) for key in keys]
    await _change(connection, changes)
    await _tell_freed(connection, [key for key in keys if locked.get(key)])


async def _exchange(
    connection: AsyncConnection, owner: str, gives: Mapping[WindowKey, int], wants: Mapping[WindowKey, Want]
) -> dict[WindowKey, Lease]:
    if wants:
        await connection.execute(
            _OPEN_WINDOWS,
            _columns(("q", "s", "ends"), [(*key, wants[key].ends) for key in sorted(wants)]),
        )
    rows = await _lock(connection, sorted({*gives, *wants}))
    given = await _shrink_leases(connection, {(key, owner): amount for key, amount in gives.items() if amount})
    leases: dict[WindowKey, Lease] = {}
    changes, caps, unmet = [], [], []
    for key, account, _ in rows:
        after = account.lease(-given.get(key, 0))
        amount = 0
        if (want := wants.get(key)) is not None:
            after = Account(want.cap, after.settled, after.leased)
            amount = after.grant(want.need, want.want, want.floor, want.squeeze)
            after = after.lease(amount)
            leases[key] = Lease(amount, after)
            caps.append((*key, want.cap))
            if amount < want.need:
                unmet.append(key)
        changes.append((key, 0, amount - given.get(key, 0)))
    await _grow_leases(connection, owner, {key: lease.amount for key, lease in leases.items() if lease.amount})
    await _change(connection, changes)
    if caps:
        await connection.execute(_CAPS, _columns(("q", "s", "cap"), caps))
    await _tell_freed(connection, [key for key, _, wanted in rows if wanted and given.get(key) and key not in unmet])
    await _tell_wanted(connection, unmet, owner)
    return leases


async def _lock(connection: AsyncConnection, keys: Sequence[WindowKey]) -> list[tuple[WindowKey, Account, bool]]:
    rows = await connection.execute(_LOCK_WINDOWS, _columns(("q", "s"), keys))
    return [(WindowKey(r.quota_id, r.start), Account(r.cap, r.settled, r.leased), r.wanted) for r in rows]


async def _shrink_leases(
    connection: AsyncConnection, released: Mapping[tuple[WindowKey, str], int]
) -> dict[WindowKey, int]:
    """Take from leases, never more than is there; by window, what was taken."""
    if not released:
        return {}
    rows = [(*key, owner, amount) for (key, owner), amount in sorted(released.items())]
    result = await connection.execute(_SHRINK, _columns(("q", "s", "o", "a"), rows))
    taken: dict[WindowKey, int] = {}
    for row in result:
        key = WindowKey(row.quota_id, row.start)
        taken[key] = taken.get(key, 0) + row.taken
    return taken


async def _grow_leases(connection: AsyncConnection, owner: str, grown: Mapping[WindowKey, int]) -> None:
    if grown:
        rows = [(*key, amount) for key, amount in sorted(grown.items())]
        await connection.execute(_GROW, {"owner": owner, **_columns(("q", "s", "a"), rows)})


async def _change(connection: AsyncConnection, changes: Iterable[tuple[WindowKey, int, int]]) -> None:
    rows = [(*key, settled, leased) for key, settled, leased in changes if settled or leased]
    if rows:
        await connection.execute(_CHANGE, _columns(("q", "s", "settled", "leased"), rows))


async def _tell_freed(connection: AsyncConnection, keys: Iterable[WindowKey]) -> None:
    for key in keys:
        await connection.execute(_NOTIFY, {"payload": f"freed {key.quota_id} {key.start}"})


async def _tell_wanted(connection: AsyncConnection, keys: Sequence[WindowKey], owner: str) -> None:
    """Mark windows as wanted; others hear of it once a second at most."""
    if not keys:
        return
    rows = await connection.execute(_WANT, {"seconds": _WANTED_SECONDS, **_columns(("q", "s"), keys)})
    for row in rows:
        if row.quiet:
            await connection.execute(_NOTIFY, {"payload": f"wanted {row.quota_id} {row.start} {owner}"})


async def _held_by(connection: AsyncConnection, owner: str) -> dict[WindowKey, int]:
    held: dict[WindowKey, int] = {}
    for row in await connection.execute(_HELD, {"owner": owner}):
        try:
            reservation = decode(row.reservation)
        except ReservationError:
            continue
        for hold in reservation.holds:
            held[hold.key] = held.get(hold.key, 0) + hold.amount
    return held


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows as one array per column, for unnest()."""
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _triple(account: Account) -> tuple[int, int, int]:
    return account.cap, account.settled, account.leased


def _remembered(reply: Sequence[Sequence[Any]]) -> dict[WindowKey, Lease]:
    return {
        WindowKey(quota_id, start): Lease(amount, Account(cap, settled, leased))
        for quota_id, start, amount, cap, settled, leased in reply
    }


_REGISTER = text("""
    INSERT INTO quota_owners (owner, node, expires_at)
    VALUES (:owner, :node, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (owner) DO NOTHING""")
_RENEW = text("""
    UPDATE quota_owners SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE owner = :owner RETURNING last_op, last_reply""")
_REMEMBER = text("UPDATE quota_owners SET last_op = :op, last_reply = CAST(:reply AS jsonb) WHERE owner = :owner")
_LOCK_OWNER = text("SELECT owner FROM quota_owners WHERE owner = :owner FOR UPDATE")
_DELETE_OWNER = text("DELETE FROM quota_owners WHERE owner = :owner")
_OWNERS = text("""
    SELECT owner FROM quota_owners
    WHERE (CAST(:node AS text) IS NULL OR node = :node) AND (NOT :expired OR expires_at < clock_timestamp())
    ORDER BY owner""")
_LEASES_OF = text("SELECT quota_id, start, amount FROM quota_leases WHERE owner = :owner ORDER BY quota_id, start")
_HELD = text("SELECT reservation FROM audit_requests WHERE holder = :owner")
_ACCOUNTS = text("SELECT * FROM quota_windows WHERE quota_id = ANY(CAST(:quota_ids AS text[]))")
_FORGET = text("""
    DELETE FROM quota_windows WHERE ends > 0 AND leased <= 0 AND ends < extract(epoch FROM clock_timestamp())
        - CASE WHEN ends - start <= 3600 THEN 2 ELSE 400 END * 86400""")
_OPEN_WINDOWS = text("""
    INSERT INTO quota_windows (quota_id, start, ends)
    SELECT * FROM unnest(CAST(:q AS text[]), CAST(:s AS bigint[]), CAST(:ends AS bigint[]))
    ON CONFLICT DO NOTHING""")
_LOCK_WINDOWS = text("""
    SELECT w.quota_id, w.start, w.cap, w.settled, w.leased,
           coalesce(w.wanted_until > clock_timestamp(), false) AS wanted
    FROM quota_windows w
    WHERE (w.quota_id, w.start) IN (SELECT * FROM unnest(CAST(:q AS text[]), CAST(:s AS bigint[])))
    ORDER BY w.quota_id COLLATE "C", w.start FOR UPDATE""")
_SHRINK = text("""
    WITH asked AS (
        SELECT * FROM unnest(CAST(:q AS text[]), CAST(:s AS bigint[]), CAST(:o AS text[]), CAST(:a AS bigint[]))
            AS asked (quota_id, start, owner, amount)
    ), before AS (
        SELECT l.quota_id, l.start, l.owner, l.amount AS had, least(l.amount, asked.amount) AS taken
        FROM quota_leases l JOIN asked USING (quota_id, start, owner)
    ), emptied AS (
        DELETE FROM quota_leases l USING before b
        WHERE (l.quota_id, l.start, l.owner) = (b.quota_id, b.start, b.owner) AND b.had = b.taken
    ), shrunk AS (
        UPDATE quota_leases l SET amount = l.amount - b.taken FROM before b
        WHERE (l.quota_id, l.start, l.owner) = (b.quota_id, b.start, b.owner) AND b.had > b.taken
    )
    SELECT quota_id, start, taken FROM before""")
_GROW = text("""
    INSERT INTO quota_leases AS l (quota_id, start, owner, amount)
    SELECT q, s, :owner, a
    FROM unnest(CAST(:q AS text[]), CAST(:s AS bigint[]), CAST(:a AS bigint[])) AS grown (q, s, a)
    ON CONFLICT (quota_id, start, owner) DO UPDATE SET amount = l.amount + excluded.amount""")
_CHANGE = text("""
    INSERT INTO quota_windows AS w (quota_id, start, settled, leased)
    SELECT * FROM unnest(CAST(:q AS text[]), CAST(:s AS bigint[]), CAST(:settled AS bigint[]),
                         CAST(:leased AS bigint[]))
    ON CONFLICT (quota_id, start) DO UPDATE
    SET settled = w.settled + excluded.settled, leased = w.leased + excluded.leased""")
_CAPS = text("""
    UPDATE quota_windows w SET cap = c.cap
    FROM unnest(CAST(:q AS text[]), CAST(:s AS bigint[]), CAST(:cap AS bigint[])) AS c (quota_id, start, cap)
    WHERE (w.quota_id, w.start) = (c.quota_id, c.start) AND w.cap <> c.cap""")
_WANT = text("""
    WITH before AS (
        SELECT quota_id, start, wanted_until FROM quota_windows
        WHERE (quota_id, start) IN (SELECT * FROM unnest(CAST(:q AS text[]), CAST(:s AS bigint[])))
    )
    UPDATE quota_windows w SET wanted_until = clock_timestamp() + make_interval(secs => :seconds)
    FROM before b WHERE (w.quota_id, w.start) = (b.quota_id, b.start)
    RETURNING w.quota_id, w.start,
        coalesce(b.wanted_until < clock_timestamp() + make_interval(secs => :seconds - 1), true) AS quiet""")
_NOTIFY = text(f"SELECT pg_notify('{QUOTA_CHANNEL}', :payload)")
