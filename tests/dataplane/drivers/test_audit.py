from __future__ import annotations

import pytest
from kagamichain.journal import Journal, JournalError

from dataplane.drivers.audit import AVOIDED_SECONDS, AuditLog


async def test_segments_with_open_attempts_survive_trimming(tmp_path):
    journal = Journal.open(tmp_path, "dp-0", max_segment_bytes=4096)
    audit = AuditLog(journal, lambda: 0.0)
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


async def test_a_journal_that_refused_an_entry_is_in_trouble_for_a_while(tmp_path):
    now = 100.0
    journal = Journal.open(tmp_path, "dp-0")
    audit = AuditLog(journal, lambda: now)
    assert not audit.troubled
    with pytest.raises(JournalError):
        audit.append(b"")
    assert audit.troubled
    now += AVOIDED_SECONDS
    assert not audit.troubled
    audit.append(b"x")
    assert not audit.troubled
    journal.close()
