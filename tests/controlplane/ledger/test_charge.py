"""What requests are charged, and what they let go of."""

from __future__ import annotations

from kagamipb.admin.v1.admin_pb2 import (
    UNIT_CONCURRENT_REQUESTS,
    UNIT_INPUT_TOKENS,
    UNIT_MICRO_USD,
    UNIT_OUTPUT_TOKENS,
    UNIT_REQUESTS,
    UNIT_TOTAL_TOKENS,
)
from kagamipb.ledger.v1.ledger_pb2 import (
    OUTCOME_BLOCKED,
    OUTCOME_CLIENT_CANCELLED,
    OUTCOME_PROVIDER_ERROR,
    OUTCOME_QUOTA_CUT,
    OUTCOME_WORKER_LOST,
    AuditEntry,
)
from support.entries import admitted, closed, extended, extension, opened

from controlplane.domain.reservation import Hold, Reservation, WindowKey, encode
from controlplane.domain.settlement import Settlement
from controlplane.ledger.charge import actual, settle
from controlplane.ledger.record import Record, fold

KEY = WindowKey("q", 0)
RESERVATION = encode(Reservation("cp", (Hold(KEY, UNIT_MICRO_USD, 100, ""),)))


def record(*entries: AuditEntry, writer: str = "w") -> Record:
    result = Record("r1")
    for seq, entry in enumerate(entries, 1):
        fold(result, entry, writer, seq, bytes(32))
    return result


def hold(unit: int, amount: int = 100, provider: str = "") -> Hold:
    return Hold(KEY, unit, amount, provider)


def held(owner: str, amount: int, key: WindowKey = KEY, provider: str = "") -> str:
    return encode(Reservation(owner, (Hold(key, UNIT_MICRO_USD, amount, provider),)))


def test_a_block_before_the_provider_is_final_without_having_opened() -> None:
    one = record(closed("r1", outcome=OUTCOME_BLOCKED, client_status=403, provider_status=0, code="pii_blocked"))
    assert (one.outcome, one.final, one.http_status, one.code) == ("blocked", True, 403, "pii_blocked")
    assert actual(one, hold(UNIT_REQUESTS)) == 0


def test_units_are_charged_what_they_count() -> None:
    one = record(opened("r1"), closed("r1", micro_usd=7, tokens=(30, 12)))
    assert actual(one, hold(UNIT_MICRO_USD)) == 7
    assert actual(one, hold(UNIT_INPUT_TOKENS)) == 30
    assert actual(one, hold(UNIT_OUTPUT_TOKENS)) == 12
    assert actual(one, hold(UNIT_TOTAL_TOKENS)) == 42
    assert actual(one, hold(UNIT_REQUESTS)) == 1
    assert actual(one, hold(UNIT_CONCURRENT_REQUESTS)) == 0


def test_money_is_rounded_up_once_per_attempt() -> None:
    entry = closed("r1")
    entry.closed.cost_pico_usd = 1_000_001
    assert actual(record(opened("r1"), entry), hold(UNIT_MICRO_USD)) == 2


def test_a_quota_of_one_provider_is_charged_for_its_attempts_only() -> None:
    one = record(
        opened("r1", provider="a"),
        closed("r1", provider="a", micro_usd=3, final=False, outcome=OUTCOME_PROVIDER_ERROR),
        opened("r1", attempt=2, provider="b"),
        closed("r1", attempt=2, provider="b", micro_usd=5),
    )
    assert [actual(one, hold(UNIT_MICRO_USD, provider=p)) for p in ("a", "b", "c", "")] == [3, 5, 0, 8]
    assert [actual(one, hold(UNIT_REQUESTS, provider=p)) for p in ("a", "b", "c")] == [1, 1, 0]


def test_a_provider_that_failed_served_nothing_of_its_own_quota() -> None:
    failed = closed("r1", provider="a", provider_status=503, final=False, outcome=OUTCOME_PROVIDER_ERROR)
    one = record(
        opened("r1", provider="a"), failed,
        opened("r1", attempt=2, provider="b"), closed("r1", attempt=2, provider="b", tokens=(3, 4)),
    )  # fmt: skip
    assert [actual(one, hold(UNIT_REQUESTS, provider=p)) for p in ("a", "b", "")] == [0, 1, 1]
    assert [actual(one, hold(UNIT_TOTAL_TOKENS, provider=p)) for p in ("a", "b", "")] == [0, 7, 7]


def test_a_provider_that_may_have_answered_a_lost_worker_is_charged() -> None:
    lost = closed("r1", provider="a", provider_status=0, outcome=OUTCOME_WORKER_LOST)
    assert actual(record(opened("r1", provider="a"), lost), hold(UNIT_REQUESTS, provider="a")) == 1


def test_use_that_will_never_be_known_is_charged_as_the_rest_of_the_hold() -> None:
    one = record(opened("r1"), closed("r1", outcome=OUTCOME_WORKER_LOST, micro_usd=0))
    assert actual(one, hold(UNIT_MICRO_USD)) == 100


def test_an_estimate_of_what_nobody_counted_is_never_charged_beyond_the_hold() -> None:
    cut = {"outcome": OUTCOME_CLIENT_CANCELLED, "reported": False}
    for micro_usd, charged in ((90, 90), (118, 100)):
        assert actual(record(opened("r1"), closed("r1", micro_usd=micro_usd, **cut)), hold(UNIT_MICRO_USD)) == charged
    assert actual(record(opened("r1"), closed("r1", micro_usd=118)), hold(UNIT_MICRO_USD)) == 118
    failed = closed("r1", micro_usd=70, final=False, **cut)
    one = record(opened("r1"), failed, opened("r1", attempt=2), closed("r1", attempt=2, micro_usd=95))
    assert actual(one, hold(UNIT_MICRO_USD)) == 100


def test_settling_twice_charges_once() -> None:
    one = record(admitted("r1", RESERVATION), opened("r1", RESERVATION), closed("r1", RESERVATION, micro_usd=60))
    first, second = Settlement(), Settlement()
    settle(one, first)
    settle(one, second)
    assert first.settled == {KEY: 60}
    assert first.released == {(KEY, "cp"): 100}
    assert second.windows() == []


def test_nothing_is_settled_before_the_end() -> None:
    settlement = Settlement()
    settle(record(admitted("r1", RESERVATION), opened("r1", RESERVATION)), settlement)
    assert settlement.windows() == []


def test_every_extension_is_freed_once_and_where_it_was_granted() -> None:
    first, second, twin = extension(1, held("cp", 40)), extension(2, held("other", 30)), extension(3, held("other", 30))
    end = closed("r1", RESERVATION, micro_usd=190, extensions=[first, second, twin])
    one = record(
        admitted("r1", RESERVATION), extended("r1", RESERVATION, first), end, extended("r1", RESERVATION, twin)
    )
    settle(one, settlement := Settlement())
    settle(one, again := Settlement())
    assert settlement.settled == {KEY: 190}
    assert settlement.released == {(KEY, "cp"): 140, (KEY, "other"): 60}
    assert again.windows() == []


def test_an_extension_heard_of_after_the_end_is_freed_then() -> None:
    one = record(admitted("r1", RESERVATION), closed("r1", RESERVATION, micro_usd=60))
    settle(one, Settlement())
    fold(one, extended("r1", RESERVATION, extension(1, held("late", 40))), "cp-9", 7, bytes(32))
    settle(one, settlement := Settlement())
    assert settlement.released == {(KEY, "late"): 40}
    assert settlement.settled == {}


def test_a_stream_that_was_cut_is_charged_no_more_than_was_held_and_extended() -> None:
    more = [extension(1, held("cp", 40)), extension(2, held("cp", 7, WindowKey("else", 0)))]
    for used, charged in ((500, 140), (120, 120)):
        end = closed("r1", RESERVATION, micro_usd=used, outcome=OUTCOME_QUOTA_CUT, extensions=more)
        assert actual(record(opened("r1", RESERVATION), end), hold(UNIT_MICRO_USD)) == charged


def test_a_lost_stream_is_charged_its_hold_and_its_extensions() -> None:
    lost = closed("r1", RESERVATION, outcome=OUTCOME_WORKER_LOST)
    told = extended("r1", RESERVATION, extension(1, held("cp", 40)))
    assert actual(record(opened("r1", RESERVATION), told, lost), hold(UNIT_MICRO_USD)) == 140


def test_an_extension_that_holds_nothing_or_cannot_be_read_breaks_nothing() -> None:
    more = [extension(1, ""), extension(2, "not a reservation")]
    settle(record(admitted("r1", RESERVATION), closed("r1", RESERVATION, extensions=more)), settlement := Settlement())
    assert settlement.released == {(KEY, "cp"): 100}


def test_an_unreadable_reservation_holds_nothing_and_breaks_nothing() -> None:
    one = record(admitted("r1", "not a reservation"), closed("r1", "not a reservation"))
    settle(one, settlement := Settlement())
    assert (one.holder, settlement.windows()) == ("", [])
