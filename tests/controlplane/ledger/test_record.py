"""Folding entries: the same result in whatever order they arrive."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
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
    OUTCOME_COMPLETED,
    OUTCOME_PROVIDER_ERROR,
    OUTCOME_QUOTA_CUT,
    OUTCOME_WORKER_LOST,
    AuditEntry,
)
from support.entries import abandoned, admitted, closed, denied, extended, extension, opened

from controlplane.domain.reservation import Hold, Reservation, WindowKey, encode
from controlplane.domain.settlement import Settlement
from controlplane.ledger.record import Record, actual, fold, settle

KEY = WindowKey("q", 0)
RESERVATION = encode(Reservation("cp", (Hold(KEY, UNIT_MICRO_USD, 100, ""),)))


def record(*entries: AuditEntry, writer: str = "w") -> Record:
    result = Record("r1")
    for seq, entry in enumerate(entries, 1):
        fold(result, entry, writer, seq, bytes(32))
    return result


def hold(unit: int, amount: int = 100, provider: str = "") -> Hold:
    return Hold(KEY, unit, amount, provider)


def test_an_admitted_request_is_open() -> None:
    one = record(admitted("r1", RESERVATION, user="u-1"))
    assert (one.outcome, one.final, one.holder, one.end_user) == ("open", False, "cp", "u-1")


def test_a_refused_request_is_final_at_once() -> None:
    one = record(denied("r1", 404, "model_not_found"))
    assert (one.outcome, one.final, one.http_status, one.code) == ("denied", True, 404, "model_not_found")


def test_what_the_gateway_answers_itself_is_not_called_denied() -> None:
    assert record(denied("r1", 200, "models_listed")).outcome == "answered"


def test_a_failed_attempt_leaves_the_request_open_until_the_last() -> None:
    failed = closed("r1", outcome=OUTCOME_PROVIDER_ERROR, final=False, provider_status=503, client_status=503)
    one = record(opened("r1"), failed)
    assert (one.outcome, one.final) == ("open", False)
    one = record(
        opened("r1"), failed, opened("r1", attempt=2, provider="other"), closed("r1", attempt=2, provider="other")
    )
    assert (one.outcome, one.final, one.http_status) == ("completed", True, 200)


def test_a_block_before_the_provider_is_final_without_having_opened() -> None:
    one = record(closed("r1", outcome=OUTCOME_BLOCKED, client_status=403, provider_status=0, code="pii_blocked"))
    assert (one.outcome, one.final, one.http_status, one.code) == ("blocked", True, 403, "pii_blocked")
    assert actual(one, hold(UNIT_REQUESTS)) == 0


def test_a_lost_worker_does_not_outweigh_the_attempt_that_answered() -> None:
    one = Record("r1")
    fold(one, opened("r1"), "dead", 1, bytes(32))
    fold(one, opened("r1", attempt=2), "alive", 1, bytes(32))
    fold(one, closed("r1", attempt=2), "alive", 2, bytes(32))
    fold(one, closed("r1", outcome=OUTCOME_WORKER_LOST, client_status=0), "dead", 2, bytes(32))
    assert (one.outcome, one.http_status) == ("completed", 200)


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


def held(owner: str, amount: int, key: WindowKey = KEY, provider: str = "") -> str:
    return encode(Reservation(owner, (Hold(key, UNIT_MICRO_USD, amount, provider),)))


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


attempt_ends = st.sampled_from(
    [OUTCOME_COMPLETED, OUTCOME_PROVIDER_ERROR, OUTCOME_WORKER_LOST, OUTCOME_CLIENT_CANCELLED, OUTCOME_QUOTA_CUT]
)


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, list[AuditEntry]]]:
    """Journals with entries of one request, as they could have been written."""
    gate = [admitted("r1", RESERVATION)]
    if draw(st.booleans()):
        gate.append(abandoned("r1", RESERVATION))
    journals = [("cp", gate)]
    more = [extension(n, held("cp", 10 * n)) for n in range(draw(st.integers(0, 3)))]
    gate += [extended("r1", RESERVATION, one) for one in more]
    count = draw(st.integers(0, 3))
    for number in range(1, count + 1):
        entries = [opened("r1", RESERVATION, number, provider=f"p{number}", request_pii={"PERSON": number})]
        if draw(st.booleans()):
            end = closed(
                "r1", RESERVATION, number, provider=f"p{number}", micro_usd=draw(st.integers(0, 50)),
                tokens=(number, number), outcome=draw(attempt_ends), final=number == count, extensions=more[:number],
            )  # fmt: skip
            entries.append(end)
        journals.append((f"dp-{number}", entries))
    return journals


@given(stories(), st.randoms(use_true_random=False), st.data())
@settings(deadline=None)
def test_neither_order_nor_timing_of_journals_changes_record_or_charge(
    story: list[tuple[str, list[AuditEntry]]], chance, data: st.DataObject
) -> None:
    def play(order: list[int], settle_often: bool) -> tuple[Record, dict[WindowKey, int], int]:
        one, charged, released = Record("r1"), {}, 0
        rest = [list(enumerate(entries, 1)) for _, entries in story]
        for index in order:
            seq, entry = rest[index].pop(0)
            fold(one, entry, story[index][0], seq, bytes([index + 1]) * 32)
            if settle_often or not any(rest):
                settle(one, settlement := Settlement())
                for key, more in settlement.settled.items():
                    charged[key] = charged.get(key, 0) + more
                released += sum(settlement.released.values())
        one.extensions.sort()
        return one, {key: value for key, value in charged.items() if value}, released

    order = [index for index, (_, entries) in enumerate(story) for _ in entries]
    shuffled = list(order)
    chance.shuffle(shuffled)
    expected, charged, released = play(order, False)
    found, charged_in_steps, released_in_steps = play(shuffled, True)
    assert found == expected
    assert charged_in_steps == charged
    assert released_in_steps == released
