"""Rolling windows inside a caller's transaction: what is settled into them, piece by piece, and comes back.

`quota_windows.settled` of a rolling window is always the sum of its rows in `quota_buckets`; both change only while
the window is locked. See `domain.windows` for what rolling means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from controlplane.domain.reservation import WindowKey
from controlplane.domain.windows import GRAINS, rolls
from controlplane.store.transactions import Connection, columns


async def come_back(connection: Connection, locked: Iterable[WindowKey]) -> dict[WindowKey, int]:
    """Free what is old enough, in windows locked before; what is settled now in those where something was."""
    keys = _rolling(locked)
    if not keys:
        return {}
    rows = await (await connection.execute(_COME_BACK, columns(("q", "s"), keys))).fetchall()
    return {WindowKey(quota_id, start): settled for quota_id, start, settled in rows}


async def book(connection: Connection, charges: Mapping[WindowKey, int]) -> dict[WindowKey, int]:
    """Note charges to windows locked before, and give what changes in each account.

    A correction downwards takes from the newest pieces; what came back already is not given back twice.
    """
    changes = dict(charges)
    added = [(*key, amount) for key, amount in sorted(charges.items()) if rolls(key.start) and amount > 0]
    if added:
        await connection.execute(_ADD, {"grains": GRAINS, **columns(("q", "s", "a"), added)})
    for key, amount in sorted(charges.items()):
        if rolls(key.start) and amount < 0:
            taken = {"q": key.quota_id, "s": key.start, "a": -amount}
            rows = await (await connection.execute(_TAKE, taken)).fetchall()
            changes[key] = -sum(row[0] for row in rows)
    return changes


async def returns(connection: Connection, keys: Iterable[WindowKey]) -> dict[WindowKey, int]:
    """Unix second at which the next piece of each comes back."""
    wanted = _rolling(keys)
    if not wanted:
        return {}
    rows = await (await connection.execute(_RETURNS, columns(("q", "s"), wanted))).fetchall()
    return {WindowKey(quota_id, start): at for quota_id, start, at in rows}


def _rolling(keys: Iterable[WindowKey]) -> Sequence[WindowKey]:
    return [key for key in keys if rolls(key.start)]


_COME_BACK = """
    WITH over AS (
        DELETE FROM quota_buckets b USING unnest(%(q)s::text[], %(s)s::bigint[]) AS k (quota_id, start)
        WHERE (b.quota_id, b.start) = (k.quota_id, k.start)
          AND b.returns <= extract(epoch FROM clock_timestamp())
        RETURNING b.quota_id, b.start, b.amount
    ), sums AS (SELECT quota_id, start, sum(amount)::bigint AS amount FROM over GROUP BY quota_id, start)
    UPDATE quota_windows w SET settled = w.settled - s.amount FROM sums s
    WHERE (w.quota_id, w.start) = (s.quota_id, s.start) RETURNING w.quota_id, w.start, w.settled"""
# A piece is named by the second at which it comes back: the end of its grain and one window more.
_ADD = """
    INSERT INTO quota_buckets AS b (quota_id, start, returns, amount)
    SELECT q, s, (floor(extract(epoch FROM clock_timestamp()) / (-s / %(grains)s))::bigint + 1)
        * (-s / %(grains)s) - s, a
    FROM unnest(%(q)s::text[], %(s)s::bigint[], %(a)s::bigint[]) AS c (q, s, a)
    ON CONFLICT (quota_id, start, returns) DO UPDATE SET amount = b.amount + excluded.amount"""
_TAKE = """
    WITH newest AS (
        SELECT returns, amount, sum(amount) OVER (ORDER BY returns DESC) - amount AS before
        FROM quota_buckets WHERE quota_id = %(q)s AND start = %(s)s
    ), cuts AS (SELECT returns, least(amount, greatest(0, %(a)s - before))::bigint AS cut FROM newest)
    UPDATE quota_buckets b SET amount = b.amount - c.cut FROM cuts c
    WHERE b.quota_id = %(q)s AND b.start = %(s)s AND b.returns = c.returns AND c.cut > 0 RETURNING c.cut"""
_RETURNS = """
    SELECT quota_id, start, min(returns) FROM quota_buckets
    WHERE (quota_id, start) IN (SELECT * FROM unnest(%(q)s::text[], %(s)s::bigint[]))
    GROUP BY quota_id, start"""
