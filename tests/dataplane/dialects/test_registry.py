from __future__ import annotations

from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT, DIALECT_UNSPECIFIED

from dataplane.dialects.registry import DEFAULT, dialect


def test_known_dialects_are_found_and_unknown_ones_are_not_guessed():
    assert dialect(DIALECT_OPENAI_CHAT) is DEFAULT
    assert dialect(DIALECT_UNSPECIFIED) is None
    assert dialect(99) is None
