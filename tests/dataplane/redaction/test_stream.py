from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.redacting import TEXTS, cuts, scan

from dataplane.redaction.cuts import Window
from dataplane.redaction.spans import RESTORE, Span
from dataplane.redaction.stream import SWALLOWED, HoldBack, Piece


def quiet(text: str, final: bool) -> list[Span]:
    return scan(text)


def run(chunks: list[str], window: Window | None = None, context: str = "") -> list[Piece]:
    hold = HoldBack(quiet, window or Window(), context=context)
    pieces = [piece for chunk in chunks for piece in hold.feed(chunk)]
    return [*pieces, *hold.flush()]


def merged(pieces: list[Piece]) -> list[tuple[str, str | None]]:
    """Pieces with neighbouring clean text joined: cuts inside clean text are nobody's business."""
    result: list[tuple[str, str | None]] = []
    for text, span in pieces:
        entity = None if span is None else f"{span.entity}/{span.recognizer}"
        if entity is None and result and result[-1][1] is None:
            result[-1] = (result[-1][0] + text, None)
        else:
            result.append((text, entity))
    return result


@settings(max_examples=400)
@given(st.data())
def test_the_pieces_are_the_same_for_every_chunking(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    window = data.draw(st.sampled_from([Window(), Window(cap=40), Window(left=8, step=4, soft=6, cap=33)]))
    whole = merged(run([text], window))
    assert merged(run(list(text), window)) == whole
    assert merged(run(data.draw(cuts(text)), window)) == whole


@given(TEXTS)
def test_nothing_is_lost_and_nothing_invented(text: str) -> None:
    assert "".join(piece.text for piece in run(list(text))) == text


@given(TEXTS)
def test_no_more_than_the_cap_is_ever_held(text: str) -> None:
    window = Window(cap=48)
    hold = HoldBack(quiet, window)
    for character in text:
        hold.feed(character)
        assert hold.pending <= window.cap
    hold.flush()
    assert hold.pending == 0


@given(TEXTS)
def test_a_person_is_found_although_every_character_arrives_alone(text: str) -> None:
    pieces = run(list(text + "。田中太郎です。"))
    assert ("田中太郎", "PERSON") in [(piece.text, piece.span.entity) for piece in pieces if piece.span]


def test_a_name_cut_by_the_soft_boundary_is_held_whole() -> None:
    text = "これはとてもながいひらがなのぶんで、" + "あ" * 21 + "田中太郎と申しますので覚えてください"
    clean = "".join(piece.text for piece in run(list(text)) if piece.span is None)
    assert "田" not in clean
    assert "太郎" not in clean


def test_a_finding_longer_than_the_cap_is_masked_as_far_as_it_goes_and_its_rest_swallowed() -> None:
    pieces = run(["鍵は sk-" + "a1B2" * 100 + " です。"], Window(cap=40))
    assert all("a1B2" not in piece.text for piece in pieces if piece.span is None)
    assert any(piece.span is not None and piece.span.recognizer == SWALLOWED for piece in pieces)
    assert pieces[-1] == Piece(" です。", None)


def test_text_without_any_boundary_is_scanned_in_linear_time() -> None:
    seen = 0

    def counting(text: str, final: bool) -> list[Span]:
        nonlocal seen
        seen += len(text)
        return scan(text)

    hold = HoldBack(counting, Window())
    for _ in range(100):
        hold.feed("漢" * 1_000)
    hold.flush()
    assert seen < 4 * 100_000


@pytest.mark.parametrize("boundaries", ["。", "\n", "、", "a, ", "あ漢", " ", "1", "Room 1, ", "田中、", "\t|"])
def test_text_that_is_all_boundaries_is_scanned_in_linear_time(boundaries: str) -> None:
    seen = 0

    def counting(text: str, final: bool) -> list[Span]:
        nonlocal seen
        seen += len(text)
        return scan(text)

    text = boundaries * (20_000 // len(boundaries))
    hold = HoldBack(counting, Window())
    hold.feed(text)
    hold.flush()
    assert seen < 7 * len(text)


def test_a_detector_that_finds_something_at_every_cut_cannot_make_it_quadratic() -> None:
    seen = 0

    def hostile(text: str, final: bool) -> list[Span]:
        nonlocal seen
        seen += len(text)
        at = max(0, len(text) - 90)
        return [Span(at, len(text), "PERSON", 0.9, "hostile")]

    hold = HoldBack(hostile, Window())
    hold.feed("漢" * 20_000)
    hold.flush()
    assert seen < 10 * 20_000


def test_context_before_the_text_is_seen_by_the_scan_and_never_given_out() -> None:
    def labelled(text: str, final: bool) -> list[Span]:
        return [Span(*hit.span(), "PERSON", 0.9, "t") for hit in re.finditer("(?<=name: )[a-z]+", text)]

    hold = HoldBack(labelled, Window(), context="name: ")
    assert hold.feed("taro.") + hold.flush() == [Piece("taro", Span(6, 10, "PERSON", 0.9, "t")), Piece(".", None)]


def test_a_number_without_end_is_let_go_bit_by_bit_when_no_scan_minds() -> None:
    hold = HoldBack(lambda text, final: [], Window(cap=40))
    out = "".join(piece.text for piece in hold.feed("1 " * 200))
    assert hold.pending <= 40
    assert out + "".join(piece.text for piece in hold.flush()) == "1 " * 200


def test_a_name_at_the_cap_is_not_cut_in_two_although_a_number_holds_everything() -> None:
    text = "1 " * 17 + "1、田中太郎です"
    pieces = run(list(text), Window(cap=36))
    assert [piece.text for piece in pieces if piece.span] == ["田中太郎"]


def test_the_beginning_of_a_placeholder_is_let_go_when_the_cap_comes() -> None:
    def opening(text: str, final: bool) -> list[Span]:
        at = text.find("<")
        return [] if final or at < 0 or ">" in text else [Span(at, len(text), "", 1.0, RESTORE)]

    hold = HoldBack(opening, Window(cap=32, near=8, left=16))
    pieces = [*hold.feed("<" + "P" * 40), *hold.feed("> and more."), *hold.flush()]
    assert "".join(piece.text for piece in pieces) == "<" + "P" * 40 + "> and more."
    assert all(piece.span is None or piece.span.recognizer == RESTORE for piece in pieces)
