"""Quota accounts inside a caller's transaction: lock, settle, lease, tell those who wait.

Every transaction locks in the same order (requests, then windows by key, then leases), so none waits for
another in a circle. A lease is only ever changed while its window is locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from controlplane.domain.quota import Account
from controlplane.domain.reservation import WindowKey
from controlplane.domain.settlement import Settlement
from controlplane.store import rolling
from controlplane.store.ledger_tables import QUOTA_CHANNEL
from controlplane.store.transactions import Connection, columns

_WANTED_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Want:
    """What a replica asks of one window: see `Account.grant`. `ends`: Unix seconds, 0 = never."""

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
    returns: int = 0
    """Of a rolling window: Unix second at which something settled comes back; 0 = nothing is settled."""


class Locked(NamedTuple):
    """A window nobody else changes until the transaction ends; `wanted`: somebody waits for room in it."""

    key: WindowKey
    account: Account
    wanted: bool


async def lock(connection: Connection, keys: Sequence[WindowKey]) -> list[Locked]:
    """Lock windows (`keys` ascending) as they are now; those that do not exist are left out."""
    cursor = await connection.execute(_LOCK, columns(("q", "s"), keys), binary=True)
    rows = await cursor.fetchall()
    changed = await rolling.come_back(connection, keys)
    locked = [Locked(WindowKey(q, s), Account(*account), wanted) for q, s, *account, wanted in rows]
    return [_now(window, changed) for window in locked] if changed else locked


async def settle(connection: Connection, settlement: Settlement) -> None:
    """Take holds from leases, never more than is there, add what was used, and tell those who wait for room.

    A window whose settled use has reached one of its quota's percentages gets an alert, once.
    """
    keys = settlement.windows()
    if not keys:
        return
    locked = await lock(connection, keys)
    released = [(*key, owner, held) for (key, owner), held in sorted(settlement.released.items())]
    settled = [(*key, used) for key, used in sorted((await rolling.book(connection, settlement.settled)).items())]
    both = {**columns(("rq", "rs", "ro", "ra"), released), **columns(("q", "s", "a"), settled)}
    await connection.execute(_SETTLE, both)
    await tell_freed(connection, (window.key for window in locked if window.wanted))


async def exchange(
    connection: Connection, owner: str, gives: Mapping[WindowKey, int], wants: Mapping[WindowKey, Want]
) -> dict[WindowKey, Lease]:
    """Give back, then lease."""
    if wants:
        windows = [(*key, wants[key].ends, wants[key].cap) for key in sorted(wants)]
        await connection.execute(_OPEN, columns(("q", "s", "ends", "cap"), windows))
    rows = await lock(connection, sorted({*gives, *wants}))
    if gives:
        returned = Settlement()
        for key, amount in gives.items():
            returned.release(key, owner, amount)
        await settle(connection, returned)
        rows = await lock(connection, [window.key for window in rows])
    returns = await rolling.returns(connection, list(wants))
    leases = {
        window.key: _grant(window.account, want)._replace(returns=returns.get(window.key, 0))
        for window in rows
        if (want := wants.get(window.key))
    }
    booked = [(*key, lease.amount, lease.account.cap) for key, lease in leases.items()]
    if booked:
        await connection.execute(_BOOK, {"owner": owner, **columns(("q", "s", "a", "cap"), booked)})
    await _tell_wanted(connection, [key for key, lease in leases.items() if lease.amount < wants[key].need], owner)
    return leases


async def tell_freed(connection: Connection, keys: Iterable[WindowKey]) -> None:
    """Say that there is room in windows somebody waits for."""
    for key in keys:
        await connection.execute(_NOTIFY, {"payload": f"freed {key.quota_id} {key.start}"})


def _now(window: Locked, settled: Mapping[WindowKey, int]) -> Locked:
    cap, before, leased = window.account.cap, window.account.settled, window.account.leased
    return window._replace(account=Account(cap, settled.get(window.key, before), leased))


def _grant(account: Account, want: Want) -> Lease:
    account = Account(want.cap, account.settled, account.leased)
    amount = account.grant(want.need, want.want, want.floor, want.squeeze)
    return Lease(amount, account.lease(amount))


async def _tell_wanted(connection: Connection, keys: Sequence[WindowKey], owner: str) -> None:
    """Mark windows as wanted; others hear of it once a second at most."""
    if not keys:
        return
    cursor = await connection.execute(_WANT, {"seconds": _WANTED_SECONDS, **columns(("q", "s"), keys)})
    for quota_id, start, quiet in await cursor.fetchall():
        if quiet:
            await connection.execute(_NOTIFY, {"payload": f"wanted {quota_id} {start} {owner}"})


# A window that was settled into before anything was leased from it does not know its end.
_OPEN = """
    INSERT INTO quota_windows AS w (quota_id, start, ends, cap)
    SELECT * FROM unnest(%(q)s::text[], %(s)s::bigint[], %(ends)s::bigint[], %(cap)s::bigint[])
    ON CONFLICT (quota_id, start) DO UPDATE SET ends = excluded.ends WHERE w.ends = 0 AND excluded.ends > 0"""
_LOCK = """
    SELECT quota_id, start, cap, settled, leased, coalesce(wanted_until > clock_timestamp(), false)
    FROM quota_windows WHERE (quota_id, start) IN (SELECT * FROM unnest(%(q)s::text[], %(s)s::bigint[]))
    ORDER BY quota_id COLLATE "C", start FOR UPDATE"""
# An alert of a rolling window is told once in as many seconds as the window has.
_PERIOD = """CASE WHEN t.start < 0
    THEN floor(extract(epoch FROM clock_timestamp()) / -t.start)::bigint * -t.start ELSE t.start END"""
_SETTLE = f"""
    WITH before AS (
        SELECT l.quota_id, l.start, l.owner, l.amount AS had, least(l.amount, asked.amount) AS taken
        FROM quota_leases l
        JOIN unnest(%(rq)s::text[], %(rs)s::bigint[], %(ro)s::text[], %(ra)s::bigint[])
            AS asked (quota_id, start, owner, amount) USING (quota_id, start, owner)
    ), emptied AS (
        DELETE FROM quota_leases l USING before b
        WHERE (l.quota_id, l.start, l.owner) = (b.quota_id, b.start, b.owner) AND b.had = b.taken
    ), shrunk AS (
        UPDATE quota_leases l SET amount = l.amount - b.taken FROM before b
        WHERE (l.quota_id, l.start, l.owner) = (b.quota_id, b.start, b.owner) AND b.had > b.taken
    ), changes AS (
        SELECT * FROM unnest(%(q)s::text[], %(s)s::bigint[], %(a)s::bigint[]) AS c (quota_id, start, settled),
            LATERAL (SELECT 0 AS taken) AS none
        UNION ALL SELECT quota_id, start, 0, taken FROM before
    ), touched AS (
        INSERT INTO quota_windows AS w (quota_id, start, settled, leased)
        SELECT quota_id, start, sum(settled), -sum(taken) FROM changes GROUP BY quota_id, start
        ON CONFLICT (quota_id, start) DO UPDATE
        SET settled = w.settled + excluded.settled, leased = w.leased + excluded.leased
        RETURNING quota_id, start, settled
    )
    INSERT INTO quota_alerts (quota_id, start, percent, tenant, quota, unit, "window", settled, cap)
    SELECT t.quota_id, {_PERIOD}, p.percent, q.tenant, q.name, q.unit, q."window", t.settled, q.cap
    FROM touched t JOIN quotas q USING (quota_id), unnest(q.alert_at) AS p (percent)
    WHERE t.settled > 0 AND t.settled::numeric * 100 >= q.cap::numeric * p.percent
    ON CONFLICT DO NOTHING"""  # noqa: S608
_BOOK = """
    WITH booked AS (
        SELECT * FROM unnest(%(q)s::text[], %(s)s::bigint[], %(a)s::bigint[], %(cap)s::bigint[])
            AS b (quota_id, start, amount, cap)
    ), grown AS (
        INSERT INTO quota_leases AS l (quota_id, start, owner, amount)
        SELECT quota_id, start, %(owner)s, amount FROM booked WHERE amount > 0
        ON CONFLICT (quota_id, start, owner) DO UPDATE SET amount = l.amount + excluded.amount
    )
    UPDATE quota_windows w SET leased = w.leased + b.amount, cap = b.cap FROM booked b
    WHERE (w.quota_id, w.start) = (b.quota_id, b.start) AND (b.amount > 0 OR w.cap <> b.cap)"""
_WANT = """
    WITH before AS (
        SELECT quota_id, start, wanted_until FROM quota_windows
        WHERE (quota_id, start) IN (SELECT * FROM unnest(%(q)s::text[], %(s)s::bigint[]))
    )
    UPDATE quota_windows w SET wanted_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    FROM before b WHERE (w.quota_id, w.start) = (b.quota_id, b.start)
    RETURNING w.quota_id, w.start,
        coalesce(b.wanted_until < clock_timestamp() + make_interval(secs => %(seconds)s - 1), true)"""
_NOTIFY = f"SELECT pg_notify('{QUOTA_CHANNEL}', %(payload)s)"
