"""Which dialect is which."""

from __future__ import annotations

from kagamipb.exchange.v1.exchange_pb2 import DIALECT_OPENAI_CHAT

from dataplane.dialects.model import Dialect
from dataplane.dialects.openai_chat import OpenAiChat

DEFAULT: Dialect = OpenAiChat()
"""What a client is answered in when its own dialect is not known."""

_DIALECTS: dict[int, Dialect] = {DIALECT_OPENAI_CHAT: DEFAULT}


def dialect(number: int) -> Dialect | None:
    """The dialect with this number of kagamipb.exchange.v1.Dialect; None when this build does not know it."""
    return _DIALECTS.get(number)
