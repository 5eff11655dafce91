"""Folding entries: the same result in whatever order they arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kagamipb.admin.v1.admin_pb2 import (
    UNIT_MICRO_USD,
)
from kagamipb.ledger.v1.ledger_pb2 import (
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
from controlplane.ledger.charge import settle
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


def test_a_lost_worker_does_not_outweigh_the_attempt_that_answered() -> None:
    one = Record("r1")
    fold(one, opened("r1"), "dead", 1, bytes(32))
    fold(one, opened("r1", attempt=2), "alive", 1, bytes(32))
    fold(one, closed("r1", attempt=2), "alive", 2, bytes(32))
    fold(one, closed("r1", outcome=OUTCOME_WORKER_LOST, client_status=0), "dead", 2, bytes(32))
    assert (one.outcome, one.http_status) == ("completed", 200)


def held(owner: str, amount: int, key: WindowKey = KEY, provider: str = "") -> str:
    return encode(Reservation(owner, (Hold(key, UNIT_MICRO_USD, amount, provider),)))


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
