"""Use by tenant, day, key and model: added up in the transaction that settles, read for reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.domain.usage import Day, Usage
from controlplane.store.transactions import Connection, columns

MOST_ROWS = 10_000
_SUMS = Usage._fields


async def add(connection: Connection, usage: Mapping[Day, Usage]) -> None:
    """Add to the sums, in an order all transactions share."""
    rows = [(*day, *used) for day, used in sorted(usage.items())]
    if rows:
        await connection.execute(_ADD, columns((*Day._fields, *_SUMS), rows))


async def history(
    engine: AsyncEngine, by: Literal["day", "key_id", "model"], *, tenant: str, first: date | None, last: date | None
) -> list[Row[Any]]:
    """Sums by tenant and `by`: days ascending, others by cost, the dearest first; `MOST_ROWS` at most."""
    async with engine.connect() as connection:
        found = await connection.execute(
            _HISTORY[by], {"tenant": tenant, "first": first, "last": last, "limit": MOST_ROWS}
        )
        return list(found)


_ADD = f"""
    INSERT INTO usage_days AS u (tenant, day, key_id, model, {", ".join(_SUMS)})
    SELECT * FROM unnest(%(tenant)s::text[], %(day)s::date[], %(key_id)s::text[], %(model)s::text[],
        {", ".join(f"%({name})s::bigint[]" for name in _SUMS)})
    ON CONFLICT (tenant, day, key_id, model) DO UPDATE
    SET {", ".join(f"{name} = u.{name} + excluded.{name}" for name in _SUMS)}"""  # noqa: S608  names of our own
_HISTORY = {
    by: text(f"""
        SELECT tenant, {by}, {", ".join(f"sum({name})::bigint AS {name}" for name in _SUMS)} FROM usage_days
        WHERE (CAST(:tenant AS text) = '' OR tenant = :tenant)
          AND (CAST(:first AS date) IS NULL OR day >= :first) AND (CAST(:last AS date) IS NULL OR day <= :last)
        GROUP BY tenant, {by} ORDER BY {order} LIMIT :limit""")  # noqa: S608
    for by, order in (
        ("day", "day, tenant"),
        ("key_id", "cost_micro_usd DESC, tenant, key_id"),
        ("model", "cost_micro_usd DESC, tenant, model"),
    )
}
