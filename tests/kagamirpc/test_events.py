"""What a peer did wrong carries the code it is told."""

from __future__ import annotations

from kagamirpc import frames as f
from kagamirpc.events import ProtocolError


def test_a_violation_has_a_reason_and_a_code() -> None:
    error = ProtocolError("too much", f.ENHANCE_YOUR_CALM)
    assert (str(error), error.code) == ("too much", f.ENHANCE_YOUR_CALM)
    assert ProtocolError("broken").code == f.PROTOCOL_ERROR
