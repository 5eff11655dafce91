from __future__ import annotations

import pytest

from dataplane.sse.decode import SseDecoder, SseEvent
from dataplane.sse.encode import DONE, comment, data_event


def test_what_is_encoded_decodes_to_itself():
    stream = data_event('{"text":"名前\\n"}'.encode()) + comment("kagami seq=1") + DONE
    assert SseDecoder(100).feed(stream) == [SseEvent(b"", '{"text":"名前\\n"}'.encode()), SseEvent(b"", b"[DONE]")]


def test_a_comment_never_holds_a_line_end():
    for text in ("a\nb", "a\rb"):
        with pytest.raises(ValueError, match="one line"):
            comment(text)
