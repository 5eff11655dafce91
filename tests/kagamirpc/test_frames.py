"""Frames as an independent implementation (hyperframe) reads them."""

from __future__ import annotations

import hyperframe.frame
import pytest
from hpack import Decoder
from kagamirpc import frames as f


def parse(data: bytes) -> hyperframe.frame.Frame:
    frame, size = hyperframe.frame.Frame.parse_frame_header(memoryview(data[:9]))
    assert size == len(data) - 9
    frame.parse_body(memoryview(data[9:]))
    return frame


def test_settings_carry_their_values() -> None:
    assert parse(f.settings({4: 65_536, 3: 7})).settings == {4: 65_536, 3: 7}


def test_window_update_reset_and_goaway_are_read_back() -> None:
    assert parse(f.window_update(5, 77)).window_increment == 77
    assert parse(f.reset(5, f.CANCEL)).error_code == f.CANCEL
    assert parse(f.goaway(9, f.NO_ERROR)).last_stream_id == 9


@pytest.mark.parametrize("only", [True, False])
def test_trailers_carry_the_status(only: bool) -> None:
    frame = parse(f.trailers(3, 13, only=only))
    headers = dict(Decoder().decode(frame.data))
    assert headers["grpc-status"] == "13"
    assert ("content-type" in headers) is only
    assert {"END_STREAM", "END_HEADERS"} <= set(frame.flags)


def test_a_large_frame_states_its_size() -> None:
    assert f.frame(f.DATA, 0, 1, bytes(70_000))[:3] == (70_000).to_bytes(3, "big")
