"""What a dead worker left open.

Pure: a successor reads its predecessor's journal and closes every attempt that has no `Closed`. The attempt of a
client whose stream broke with the worker is over: Envoy has reset it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kagamipb.ledger.v1.ledger_pb2 import AuditEntry

from dataplane.exchange.entries import lost


def closing_entries(entries: Iterable[bytes], now: int) -> Iterator[bytes]:
    """Entries to append, in the order of the `Opened` they answer; `now` in Unix microseconds."""
    running: dict[tuple[str, int], AuditEntry] = {}
    for data in entries:
        entry = AuditEntry.FromString(data)
        kind = entry.WhichOneof("event")
        if kind == "opened":
            running[entry.request_id, entry.opened.attempt] = entry
        elif kind == "closed":
            running.pop((entry.request_id, entry.closed.attempt), None)
    for entry in running.values():
        yield lost(entry, now)
