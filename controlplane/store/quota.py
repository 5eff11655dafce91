"""Quotas in PostgreSQL as replicas use them: exchanges of leases, owners that come and go, reports.

Time is the database's: replicas' clocks play no part. An exchange is numbered by its owner and remembered
with its reply, so that one whose reply was lost can be repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.quota import Account
from controlplane.domain.reservation import ReservationError, WindowKey, decode
from controlplane.domain.settlement import Settlement
from controlplane.store import accounts
from controlplane.store.accounts import Lease, Want
from controlplane.store.ledger_tables import QUOTA_CHANNEL
from controlplane.store.transactions import Connection, begin, columns

__all__ = ["Lease", "Note", "OwnerLostError", "QuotaStore", "Want"]

OWNER_SECONDS = 30.0
"""How long an owner's leases stay its own after its last exchange."""


class Note(NamedTuple):
    """Something about a window's room: `freed`, or wanted by an owner."""

    freed: bool
    key: WindowKey
    owner: str


class Leased(NamedTuple):
    """What one process has of a window; `node` is empty when it is gone."""

    owner: str
    node: str
    amount: int


class OwnerLostError(Exception):
    """The owner is not known any more: its leases were given to others.

    Register anew and start from nothing.
    """


class QuotaStore:
    """Everything the quota gate asks of the database. Raises psycopg.Error, SQLAlchemyError or OSError."""

    def __init__(self, engine: AsyncEngine, *, owner_seconds: float = OWNER_SECONDS) -> None:
        self._engine = engine
        self.owner_seconds = owner_seconds

    async def now(self) -> float:
        """What time it is, for every replica: Unix seconds."""
        async with self._engine.connect() as connection:
            return float((await connection.execute(_NOW)).scalar_one())

    async def register(self, owner: str, node: str) -> None:
        """Announce an owner; idempotent."""
        async with begin(self._engine) as connection:
            await connection.execute(_REGISTER, {"owner": owner, "node": node, "seconds": self.owner_seconds})

    async def exchange(
        self, owner: str, op: int, gives: Mapping[WindowKey, int], wants: Mapping[WindowKey, Want]
    ) -> dict[WindowKey, Lease]:
        """Give back and lease in one transaction, and stay alive for another `owner_seconds`.

        `op` rises by one with each exchange; the same one again gets the same answer. Raises OwnerLostError.
        """
        async with begin(self._engine) as connection:
            renewed = await connection.execute(_RENEW, {"owner": owner, "seconds": self.owner_seconds})
            rows = await renewed.fetchall()
            if not rows:
                raise OwnerLostError(owner)
            last_op, last_reply = rows[0]
            if last_op >= op:
                return _remembered(last_reply)
            leases = await accounts.exchange(connection, owner, gives, wants)
            reply = [[*key, lease.amount, *_triple(lease.account), lease.returns] for key, lease in leases.items()]
            remember = {"owner": owner, "op": op, "reply": orjson.dumps(reply).decode()}
            await connection.execute(_REMEMBER, remember)
            return leases

    def listen(self) -> AsyncIterator[Note]:
        """Notes as they come; see `listen`."""
        return listen(self._engine)

    async def retire(self, owner: str) -> bool:
        """Take a dead owner's leases back, but for what its unsettled requests hold; False when it is
        unknown.
        """
        async with begin(self._engine) as connection:
            if not await (await connection.execute(_LOCK_OWNER, {"owner": owner})).fetchall():
                return False
            # With the windows locked no settlement can come between what is held and what is leased.
            await accounts.lock(connection, [key for key, _ in await _leases_of(connection, owner)])
            held = await _held_by(connection, owner)
            surplus = Settlement()
            for key, amount in await _leases_of(connection, owner):
                surplus.release(key, owner, max(0, amount - held.get(key, 0)))
            await accounts.settle(connection, surplus)
            await connection.execute(_DELETE_OWNER, {"owner": owner})
            return True

    async def forget(self) -> int:
        """Delete windows nobody will ask for again: minutes and hours after two days, others after 400; and rolling
        ones with nothing in them, which are made again when they are needed.
        """
        async with begin(self._engine) as connection:
            rows = await (await connection.execute(_QUIET)).fetchall()
            locked = await accounts.lock(connection, [WindowKey(*row) for row in rows])
            empty = [window.key for window in locked if not (window.account.settled or window.account.leased)]
            await connection.execute(_DELETE, columns(("q", "s"), empty))
            return (await connection.execute(_FORGET)).rowcount

    async def owners(self, *, node: str | None = None, expired: bool = False) -> list[str]:
        """Owners of a node, or those whose time is over."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_OWNERS, {"node": node, "expired": expired})
            return [row.owner for row in rows]

    async def accounts(self, quota_ids: Iterable[str]) -> dict[WindowKey, Account]:
        """The accounts of all windows of these quotas."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_ACCOUNTS, {"quota_ids": list(quota_ids)})
            return {WindowKey(r.quota_id, r.start): Account(r.cap, r.settled, r.leased) for r in rows}


async def leases(engine: AsyncEngine, quota_ids: Iterable[str]) -> dict[WindowKey, list[Leased]]:
    """Who holds what in every window of these quotas."""
    found: dict[WindowKey, list[Leased]] = {}
    async with engine.connect() as connection:
        for row in await connection.execute(_LEASES, {"quota_ids": list(quota_ids)}):
            key = WindowKey(row.quota_id, row.start)
            found.setdefault(key, []).append(Leased(row.owner, row.node or "", row.amount))
    return found


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


async def _leases_of(connection: Connection, owner: str) -> list[tuple[WindowKey, int]]:
    rows = await (await connection.execute(_LEASES_OF, {"owner": owner})).fetchall()
    return [(WindowKey(quota_id, start), amount) for quota_id, start, amount in rows]


async def _held_by(connection: Connection, owner: str) -> dict[WindowKey, int]:
    held: dict[WindowKey, int] = {}
    for (text_,) in await (await connection.execute(_HELD, {"owner": owner})).fetchall():
        try:
            reservation = decode(text_)
        except ReservationError:
            continue
        for hold in reservation.holds if reservation.owner == owner else ():
            held[hold.key] = held.get(hold.key, 0) + hold.amount
    return held


def _triple(account: Account) -> tuple[int, int, int]:
    return account.cap, account.settled, account.leased


def _remembered(reply: Sequence[Sequence[Any]]) -> dict[WindowKey, Lease]:
    return {
        WindowKey(quota_id, start): Lease(amount, Account(cap, settled, leased), *returns)
        for quota_id, start, amount, cap, settled, leased, *returns in reply
    }


_NOW = text("SELECT extract(epoch FROM clock_timestamp())")
_REGISTER = """
    INSERT INTO quota_owners (owner, node, expires_at)
    VALUES (%(owner)s, %(node)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (owner) DO NOTHING"""
_RENEW = """
    UPDATE quota_owners SET expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE owner = %(owner)s RETURNING last_op, last_reply"""
_REMEMBER = "UPDATE quota_owners SET last_op = %(op)s, last_reply = %(reply)s::jsonb WHERE owner = %(owner)s"
_LOCK_OWNER = "SELECT owner FROM quota_owners WHERE owner = %(owner)s FOR UPDATE"
_DELETE_OWNER = "DELETE FROM quota_owners WHERE owner = %(owner)s"
_LEASES_OF = """
    SELECT quota_id, start, amount FROM quota_leases WHERE owner = %(owner)s ORDER BY quota_id COLLATE "C", start"""
_HELD = """
    SELECT reservation FROM audit_requests WHERE holder = %(owner)s UNION ALL
    SELECT split_part(extension, ' ', 2) FROM audit_requests, unnest(extensions[freed + 1:]) AS extension
    WHERE cardinality(extensions) > freed"""
_FORGET = """
    DELETE FROM quota_windows WHERE ends > 0 AND leased <= 0 AND ends < extract(epoch FROM clock_timestamp())
        - CASE WHEN ends - start <= 3600 THEN 2 ELSE 400 END * 86400"""
_QUIET = """
    SELECT quota_id, start FROM quota_windows w WHERE start < 0 AND leased = 0 AND NOT EXISTS (
        SELECT FROM quota_buckets b WHERE (b.quota_id, b.start) = (w.quota_id, w.start)
            AND b.returns > extract(epoch FROM clock_timestamp()))
    ORDER BY quota_id COLLATE "C", start LIMIT 1000"""
_DELETE = """
    DELETE FROM quota_windows WHERE (quota_id, start) IN (SELECT * FROM unnest(%(q)s::text[], %(s)s::bigint[]))"""
_OWNERS = text("""
    SELECT owner FROM quota_owners
    WHERE (CAST(:node AS text) IS NULL OR node = :node) AND (NOT :expired OR expires_at < clock_timestamp())
    ORDER BY owner""")
_LEASES = text("""
    SELECT l.quota_id, l.start, l.owner, o.node, l.amount FROM quota_leases l LEFT JOIN quota_owners o USING (owner)
    WHERE l.quota_id = ANY(CAST(:quota_ids AS text[])) AND l.amount > 0 ORDER BY l.owner""")
_ACCOUNTS = text("""
    SELECT w.quota_id, w.start, w.cap, w.leased, w.settled - coalesce((
        SELECT sum(b.amount) FROM quota_buckets b WHERE (b.quota_id, b.start) = (w.quota_id, w.start)
            AND b.returns <= extract(epoch FROM clock_timestamp())), 0)::bigint AS settled
    FROM quota_windows w WHERE w.quota_id = ANY(CAST(:quota_ids AS text[]))""")
