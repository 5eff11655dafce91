from __future__ import annotations

from controlplane.simulator.record import Record, Ring


def record(ring: Ring, body: bytes = b"") -> Record:
    made = Record(ring.next_number(), 1.0, "a", "h2", "POST", "/a/v1/chat/completions", (), body)
    ring.add(made)
    return made


def test_the_oldest_records_give_way_by_count_and_by_size() -> None:
    ring = Ring(records=3, max_bytes=10)
    for _ in range(5):
        record(ring)
    assert [r.number for r in ring.since(0, 10)] == [3, 4, 5]
    record(ring, b"x" * 11)
    assert [r.number for r in ring.since(0, 10)] == [6]


def test_totals_outlive_the_records() -> None:
    ring = Ring(records=1, max_bytes=10)
    for _ in range(3):
        made = record(ring)
        made.usage = {"prompt_tokens": 2, "completion_tokens": 5}
        ring.end(made, "completed", 2.0)
    assert (ring.totals["a"].requests, ring.totals["a"].completion_tokens) == (3, 15)


def test_only_the_first_end_counts() -> None:
    ring = Ring(records=9, max_bytes=10)
    made = record(ring)
    ring.end(made, "cancelled", 2.0)
    ring.end(made, "completed", 3.0)
    assert (made.outcome, made.ended_at) == ("cancelled", 2.0)
    assert (ring.totals["a"].cancelled, ring.totals["a"].completed) == (1, 0)


def test_a_body_that_is_not_text_is_shown_as_base64() -> None:
    ring = Ring(records=9, max_bytes=10)
    assert record(ring, b"\xff").as_json()["body_base64"] == "/w=="
    assert record(ring, "鏡".encode()).as_json()["body"] == "鏡"


def test_clearing_forgets_but_numbers_go_on() -> None:
    ring = Ring(records=9, max_bytes=10)
    record(ring)
    ring.clear()
    assert ring.since(0, 10) == []
    assert record(ring).number == 2
