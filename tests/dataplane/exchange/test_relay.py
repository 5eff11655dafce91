from __future__ import annotations

import pytest
from support.provider import DONE, completion, delta
from support.redactor import redaction, run

from dataplane.dialects.openai_chat import OpenAiChat
from dataplane.dialects.openai_stream import ChatStream
from dataplane.errors import InvalidRequest, ProviderError
from dataplane.exchange.inflate import decoder
from dataplane.exchange.relay import Piece, RefusalRelay, StreamRelay, WholeRelay

CHAT, PLAIN = OpenAiChat(), decoder(b"", 1000)


def test_a_stream_is_over_with_its_last_event_not_with_its_last_byte():
    relay = StreamRelay(ChatStream(None, show_usage=False, max_lanes=8), PLAIN, 1000)
    assert run(relay.steps(delta("a", finish="stop"), end=False)) == Piece(delta("a", finish="stop"), last=False)
    assert run(relay.steps(DONE + delta("b"), end=False)) == Piece(DONE, last=True)


def test_many_events_in_one_piece_are_worked_on_in_steps():
    relay = StreamRelay(ChatStream(redaction(), show_usage=False, max_lanes=8), PLAIN, 1000)
    assert sum(1 for _ in relay.steps(delta("は") * 100, end=False)) >= 6


def test_a_whole_answer_shows_nothing_before_its_end():
    relay = WholeRelay(CHAT, redaction(), PLAIN, 10_000)
    answer = completion("電話は090-1234-5678")
    assert run(relay.steps(answer[:50], end=False)) == Piece(b"", last=False)
    assert relay.measure.chars == 50
    piece = run(relay.steps(answer[50:], end=True))
    assert piece.last
    assert b"090-1234" not in piece.data
    assert relay.usage.output == 20


def test_a_whole_answer_is_bounded():
    with pytest.raises(ProviderError, match="larger"):
        run(WholeRelay(CHAT, None, PLAIN, 10).steps(b"x" * 11, end=False))


def test_a_refusal_of_any_length_keeps_its_beginning_only():
    relay = RefusalRelay(CHAT, 400, PLAIN)
    assert run(relay.steps(b"x" * 100_000, end=False)) == Piece(b"", last=False)
    with pytest.raises(InvalidRequest):
        run(relay.steps(b"x" * 100_000, end=True))
