from __future__ import annotations

import json
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizers.detector import Detector
from recognizers.escapes import decoded
from recognizers.folded import FoldedText

TEXTS = st.lists(
    st.sampled_from(["山", "a", "𠮷", "\\\\", "\\u5c71", "\\ud842\\udfb7", "\\ud842", "%E5%B1%B1", "%E5", "%", "%0A", "&#23665;",
                     "&#x5C71;", "&#99999999;", "&commat;", "&", "#", ";", "\u200b", "\\\\u5c71", "\\x41"]) | st.text(max_size=3),
    max_size=30,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    "written",
    [
        json.dumps("山田𠮷")[1:-1],
        json.dumps(json.dumps("山田𠮷"))[3:-3],
        quote("山田𠮷"),
        "&#23665;&#x7530;&#134071;",
    ],
)
def test_every_spelling_is_read(written: str) -> None:
    text, offsets = decoded(f"は{written}です")
    assert text == "は山田𠮷です"
    assert offsets is not None
    assert (offsets[1], offsets[4], offsets[-1]) == (1, 1 + len(written), len(written) + 3)


@pytest.mark.parametrize(
    "text", ["100%です", "a & b", "\\ud842", "%E5%B1", "&#55296;", "&nosuch;", "C:\\users", "%0A", "\\u0000"]
)
def test_what_is_no_escape_stays(text: str) -> None:
    assert decoded(text)[0] == text


@given(TEXTS)
def test_offsets_rise_within_the_text_and_lead_back(text: str) -> None:
    folded = FoldedText(text)
    spans = [folded.span(at, at + 1) for at in range(len(folded.folded))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    plain, offsets = decoded(text)
    if offsets is not None:
        assert len(offsets) == len(plain) + 1


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


@pytest.mark.parametrize(
    "spell",
    [lambda text: json.dumps(text)[1:-1], quote, lambda text: "".join(f"&#{ord(character)};" for character in text)],
    ids=["json", "url", "html"],
)
@pytest.mark.parametrize("value", ["佐藤美咲様", "090-8765-4321", "misaki.sato@example.co.jp", "東京都港区芝公園4-2-8"])
def test_a_spelled_value_is_found_where_it_stands(detector: Detector, spell, value: str) -> None:  # type: ignore[no-untyped-def]
    written = spell(value)
    text = f'{{"x": "{written}"}}'
    [found] = detector.scan(text)
    left, right = text[: found.start], text[found.end :]
    assert left == '{"x": "'
    assert right in {'"}', spell("様") + '"}'}
