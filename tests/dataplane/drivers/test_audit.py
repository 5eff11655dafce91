from __future__ import annotations

from kagamichain.journal import Journal

from dataplane.drivers.audit import AuditLog


async def test_segments_with_open_attempts_survive_trimming(tmp_path):
    journal = Journal.open(tmp_path, "dp-0", max_segment_bytes=4096)
    audit = AuditLog(journal)
    first = audit.append(b"x" * 1000).seq
    audit.hold(first)
    second = audit.append(b"x" * 1000).seq
    audit.hold(second)
    last = [audit.append(b"x" * 1000).seq for _ in range(20)][-1]
    await audit.durable(last)
    journal.trim(last)
    assert journal.read(first - 1, 1)[0].seq == first
    audit.release(first)
    journal.trim(last)
    assert journal.read(second - 1, 1)[0].seq == second
    audit.release(second)
    journal.trim(last)
    journal.close()
    reopened = Journal.open(tmp_path, "dp-0")
    assert next(iter(reopened.recovered)).seq > second
    reopened.close()
