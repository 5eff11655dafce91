from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.chunking import cut, cuts, single

from dataplane.sse.decode import SseDecoder, SseError, SseEvent


def decode(pieces, limit=1000):
    decoder = SseDecoder(max_event_bytes=limit)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_line_end_of_the_standard_ends_a_line(end):
    stream = end.join([b"data: a", b"", b"event: ping", b"data: b", b"data:c", b"", b""])
    assert decode([stream]) == [SseEvent(b"", b"a"), SseEvent(b"ping", b"b\nc")]
    assert decode(single(stream)) == decode([stream])


def test_unicode_line_separators_do_not_end_a_line():
    payload = 'data: {"a":"\u2028\u2029\x85\x0b\x0c"}\n\n'.encode()
    assert decode([payload]) == [SseEvent(b"", payload[6:-2])]


def test_comments_ids_and_blank_lines_make_no_event():
    assert decode([b": hello\n\nid: 7\nretry: 1\n\n\n\n"]) == []


def test_an_event_without_its_last_blank_line_counts_at_the_end():
    assert decode([b"data: [DONE]\n"]) == [SseEvent(b"", b"[DONE]")]


def test_a_byte_order_mark_is_skipped_however_it_is_cut():
    stream = b"\xef\xbb\xbfdata: a\n\n"
    assert decode([stream]) == decode(single(stream)) == [SseEvent(b"", b"a")]


def test_an_event_of_exactly_the_limit_passes_whole_and_byte_by_byte():
    stream = b"data: " + b"x" * 14 + b"\n\n"
    assert decode([stream], 20) == decode(single(stream), 20) == [SseEvent(b"", b"x" * 14)]


@pytest.mark.parametrize("end", [b"\n\n", b""])
def test_an_event_over_the_limit_is_refused_whole_and_byte_by_byte(end):
    stream = b"data: " + b"x" * 16 + end
    for pieces in ([stream], single(stream)):
        with pytest.raises(SseError, match="larger than 20 bytes"):
            decode(pieces, 20)


@given(st.text(alphabet="ab:\n\r \u2028氏data", max_size=80), cuts)
@example("data: a\r\n\r\ndata: b\r\r", [8, 9, 10])
def test_events_do_not_depend_on_how_the_bytes_are_cut(text, places):
    stream = text.encode()
    assert decode(cut(stream, places)) == decode([stream]) == decode(single(stream))
