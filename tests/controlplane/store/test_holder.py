from __future__ import annotations

import asyncio

from support.snapshots import snapshot

from controlplane.domain.snapshot import Snapshot
from controlplane.store.holder import SnapshotHolder


async def test_a_subscriber_waits_for_the_first_snapshot_and_then_sees_each_change() -> None:
    holder = SnapshotHolder()
    stream = holder.subscribe()
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    assert not first.done()
    one, two = snapshot(), snapshot(revision="8")
    holder.publish(one)
    assert await first is one
    holder.publish(two)
    assert await anext(stream) is two


async def test_a_slow_subscriber_skips_what_was_superseded() -> None:
    holder = SnapshotHolder(snapshot(revision="1"))
    stream = holder.subscribe()
    assert (await anext(stream)).revision == "1"
    holder.publish(snapshot(revision="2"))
    holder.publish(snapshot(revision="3"))
    assert (await anext(stream)).revision == "3"


async def test_publishing_the_same_snapshot_again_wakes_nobody() -> None:
    same = snapshot()
    holder = SnapshotHolder(same)
    stream = holder.subscribe()
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    holder.publish(same)
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


async def test_an_observer_misses_nothing_and_is_first() -> None:
    holder = SnapshotHolder(snapshot(revision="1"))
    seen: list[tuple[str, str]] = []

    def note(new: Snapshot) -> None:
        assert holder.current is not None
        seen.append((holder.current.revision, new.revision))

    holder.observe(note)
    holder.publish(snapshot(revision="2"))
    holder.publish(snapshot(revision="3"))
    assert seen == [("1", "1"), ("1", "2"), ("2", "3")]


async def test_closing_ends_subscriptions() -> None:
    holder = SnapshotHolder(snapshot())
    stream = holder.subscribe()
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0)
    holder.close()
    assert await waiting is None
